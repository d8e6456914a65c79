"""Checkpoints of random weights that are small enough for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.images import ImageSpec, TargetSpec, num_outputs
from pixelwise.labels import LabelSpec
from pixelwise.models import family_of
from pixelwise.models.asapnet import AsapNet, AsapNetConfig
from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.models.clade import CladeConfig
from pixelwise.models.crn import CrnConfig
from pixelwise.models.dagan import DaganConfig
from pixelwise.models.dncnn import DnCnn, DnCnnConfig
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.groupdnet import GroupDNetConfig
from pixelwise.models.msgunet import MsgUNetConfig
from pixelwise.models.pan import PanConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.pix2pixhd import Pix2PixHd, Pix2PixHdConfig
from pixelwise.models.sean import RegionModulation, SeanConfig
from pixelwise.models.spade import SpadeConfig

LABELS = LabelSpec(
    ("a", "b", "c"), colours=((9, 9, 9), (90, 0, 0), (0, 90, 0), (255, 255, 255)), ids=(1, 4, 2), ignore_id=0
)
TINY_RIVALS = {
    "spade": SpadeConfig(num_labels=4, out_channels=3, width=2, style=True, size=(64, 64)),
    "clade": CladeConfig(num_labels=4, out_channels=3, width=2, style=True, size=(64, 64)),
    "ccfpse": CcfpseConfig(num_labels=4, out_channels=3, width=2, style=True, size=(64, 64)),
    "dagan": DaganConfig(num_labels=4, out_channels=3, width=4),
    "sean": SeanConfig(num_labels=4, out_channels=3, width=2, style_length=6, hidden=5, encoder_width=2),
    "groupdnet": GroupDNetConfig(
        num_labels=4, out_channels=3, widths=(16, 16, 16, 16, 8, 8, 8, 8), groups=(0, 0, 4, 4, 2, 2, 1),
        encoder_width=2, size=(64, 128),
    ),
    "crn": CrnConfig(num_labels=4, out_channels=3, widths=(4, 4, 4), num_variants=3),
    "pix2pix": Pix2PixConfig(num_labels=4, out_channels=3, width=2, num_downsamplings=6),
    "pix2pixhd": Pix2PixHdConfig(
        num_labels=4, instance_edges=True, out_channels=3, width=2, num_downsamplings=2, num_blocks=1, num_features=2,
        encoder_width=2, encoder_num_downsamplings=1, num_styles=3,
    ),
}  # fmt: skip
"""For ``LABELS``: with styles, where the family has them, with noise, or with several pictures."""

TINY_FAMILIES: dict[str, GeneratorConfig] = {
    **TINY_RIVALS,
    "asapnet": AsapNetConfig(
        num_labels=4, out_channels=3, cell=4, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2
    ),
    "msgunet": MsgUNetConfig(image_channels=3, out_channels=3, width=2, num_scales=3, num_downsamplings=2),
    "pan": PanConfig(image_channels=3, out_channels=3, width=2, num_downsamplings=4),
    "dncnn": DnCnnConfig(image_channels=3, out_channels=3, width=4, depth=3),
}
"""All but SIMS, which needs a memory bank beside."""

LABEL_MODEL = ConditionSpec(LABELS)
INSTANCE_MODEL = ConditionSpec(LABELS, instances=True)
PHOTO_MODEL = ConditionSpec(image_channels=3)


def save_tiny_model(
    path: Path,
    spec: ConditionSpec,
    image: ImageSpec | None = None,
    target: TargetSpec | None = None,
    restores: bool = False,
    **config: Any,
) -> Path:
    """Writes a model that reads what ``spec`` says, with further fields of its configuration; returns the path."""
    target = target or ImageSpec()
    fields = {
        "num_labels": spec.num_labels, "instance_edges": spec.instances, "image_channels": spec.image_channels,
        "out_channels": num_outputs(target), "cell": 4, "width": 4, "max_width": 8, "num_blocks": 1, "mlp_width": 4,
        "mlp_depth": 2,
    }  # fmt: skip
    model = AsapNetConfig(**{**fields, **config})
    if image is None and spec.image_channels:
        image = ImageSpec(spec.image_channels)
    torch.manual_seed(0)
    manifest = manifest_for(model, spec, image=image, target=target, restores=restores)
    save_checkpoint(path, AsapNet(model), manifest)
    return path


@torch.no_grad()
def save_tiny_denoiser(
    path: Path, channels: int, noise: tuple[float, float] | None = None, finds_noise: bool = False
) -> Path:
    """Writes a DnCNN that reaches 3 pixels far, and gives pictures back as they are unless it finds noise; its path."""
    config = DnCnnConfig(image_channels=channels, out_channels=channels, width=4, depth=3)
    torch.manual_seed(0)
    generator = DnCnn(config)
    generator.last.weight.mul_(0.02 if finds_noise else 0)
    image = ImageSpec(channels)
    spec = ConditionSpec(image_channels=channels)
    save_checkpoint(path, generator, manifest_for(config, spec, image=image, target=image, restores=True, noise=noise))
    return path


@torch.no_grad()
def save_tiny_rival(path: Path, config: GeneratorConfig) -> Path:
    """Writes a model of ``LABELS`` whose noise counts and whose styles of classes differ; returns the path."""
    family = family_of(config)
    torch.manual_seed(0)
    generator = family.generator(config)
    for part in generator.modules():
        if isinstance(part, RegionModulation):
            part.noise_scale.fill_(1)
    if isinstance(generator, Pix2PixHd) and generator.styles is not None:
        generator.styles.centres.normal_()
    spec = ConditionSpec(LABELS, config.instance_edges, style=family.reads_style(config))
    save_checkpoint(path, generator, manifest_for(config, spec))
    return path
