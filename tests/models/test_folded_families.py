"""What a Translator runs of a family without engines makes the pictures of the generator as it was trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.convolution import SpectralConv2d
from pixelwise.layers.folded import folded
from pixelwise.layers.layout_convolution import LayoutConv2d
from pixelwise.layers.modulation import ClassModulation
from pixelwise.models import FAMILIES, FOR_INFERENCE, family_of
from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.models.clade import CladeConfig
from pixelwise.models.crn import CrnConfig
from pixelwise.models.dagan import DaganConfig
from pixelwise.models.dncnn import DnCnnConfig
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.groupdnet import GroupDNetConfig
from pixelwise.models.msgunet import MsgUNetConfig
from pixelwise.models.pan import PanConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.models.sean import SeanConfig
from pixelwise.models.sims import SimsConfig
from pixelwise.models.spade import SpadeConfig

CONFIGS = (
    SpadeConfig(num_labels=4, instance_edges=True, out_channels=3, width=2),
    SpadeConfig(num_labels=4, out_channels=3, width=2, norm="instance", style=True, size=(64, 64)),
    SpadeConfig(image_channels=3, out_channels=1, width=2),
    CladeConfig(num_labels=4, instance_edges=True, out_channels=3, width=2, offsets_modulate=True),
    CladeConfig(num_labels=4, out_channels=3, width=2, num_spatial_blocks=3, offsets_in_features=True),
    DaganConfig(num_labels=4, instance_edges=True, out_channels=3, width=2),
    CcfpseConfig(num_labels=4, instance_edges=True, out_channels=3, width=2),
    SeanConfig(num_labels=4, instance_edges=True, out_channels=3, width=2, style_length=8, hidden=8, encoder_width=2),
    GroupDNetConfig(num_labels=4, instance_edges=True, out_channels=3, encoder_width=2, size=(64, 128)),
    Pix2PixConfig(num_labels=4, out_channels=3, width=2, dropout_at_test=False),
    Pix2PixConfig(num_labels=4, out_channels=3, width=2, batch_statistics=False, dropout_at_test=False),
    Pix2PixConfig(num_labels=4, out_channels=3, num_downsamplings=2, num_blocks=1, batch_statistics=False, dropout=0.0),
    Pix2PixHdConfig(num_labels=4, instance_edges=True, out_channels=3, width=2, num_enhancers=1, num_blocks=1),
    Pix2PixHdConfig(num_labels=4, out_channels=3, width=2, num_blocks=1, norm="batch"),
    MsgUNetConfig(num_labels=4, instance_edges=True, out_channels=3, width=2, num_scales=2),
    PanConfig(num_labels=4, instance_edges=True, out_channels=3, width=2, num_downsamplings=3),
    CrnConfig(num_labels=4, instance_edges=True, out_channels=3, widths=(8, 4)),
    DnCnnConfig(image_channels=3, out_channels=3, width=4, depth=4),
    SimsConfig(num_labels=4, out_channels=2, width=4, num_reductions=2),
)


def condition(config: GeneratorConfig) -> Condition:
    labels = torch.arange(4).repeat(2, 33, 11)
    # For SIMS a canvas of two channels.
    picture = torch.linspace(-1, 1, 2 * 3 * 33 * 44).view(2, 3, 33, 44)
    return Condition(
        labels=labels if config.num_labels else None,
        instances=labels // 2 if config.instance_edges else None,
        image=picture if config.image_channels or isinstance(config, SimsConfig) else None,
        style=picture,
    )


def generator_of(config: GeneratorConfig) -> nn.Module:
    torch.manual_seed(0)
    generator = family_of(config).generator(config)
    # Fresh tables and statistics would hide what is gathered and divided by.
    for part in generator.modules():
        tables = (part.gamma, part.beta) if isinstance(part, ClassModulation) else ()
        for values in tables:
            nn.init.uniform_(values, 0.5, 1.5)
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None and part.running_var is not None:
            nn.init.uniform_(part.running_mean, -0.5, 0.5)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    return generator.eval()


def test_every_family_is_here() -> None:
    assert {family_of(config).name for config in CONFIGS} == set(FAMILIES) - set(FOR_INFERENCE)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: family_of(config).name)
@torch.inference_mode()
def test_pictures_are_those_of_the_plain_generator(config: GeneratorConfig) -> None:
    generator, given = generator_of(config), condition(config)
    torch.manual_seed(1)
    expected = generator(given).image
    assert expected.std() > 1e-3
    ready = folded(generator)
    torch.manual_seed(1)
    torch.testing.assert_close(ready(given).image, expected, atol=1e-5, rtol=1e-5)
    assert not any(isinstance(part, SpectralConv2d | LayoutConv2d) for part in ready.modules())


@pytest.mark.parametrize(
    "config", [config for config in CONFIGS if config.num_labels], ids=lambda config: family_of(config).name
)
@torch.inference_mode()
def test_labels_beyond_the_classes_are_refused(config: GeneratorConfig) -> None:
    given = condition(config)
    assert given.labels is not None
    given.labels[:, 32, 43] = config.num_labels
    with pytest.raises(InputError, match=r"expected 0\.\.3"):
        folded(generator_of(config))(given)
