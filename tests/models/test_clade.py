from dataclasses import replace

import pytest
import torch
from full_size import millions_and_gmacs
from recorded import RECORDED_CONFIGS, TOLERANCE, recorded, recorded_condition
from torch import Tensor

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.modulation import ClassModulation, SpatialModulation
from pixelwise.models import clade
from pixelwise.models.clade import PUBLISHED, Clade, CladeConfig

TINY = CladeConfig(num_labels=4, out_channels=3, width=2)
LABELS = torch.arange(4).repeat_interleave(120).repeat(2, 4).view(2, 40, 48)


@pytest.mark.parametrize("name", ["clade", "clade_icpe"])
@torch.no_grad()
def test_conformance(name: str) -> None:
    arrays, weights = recorded(name)
    image = adopt("clade", weights, RECORDED_CONFIGS[name])(recorded_condition(arrays)).image
    torch.testing.assert_close(image, arrays["out/image"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("with_offsets", ["", "_icpe"])
@pytest.mark.parametrize(
    ("name", "millions", "gmacs"), [("ade20k", 71.4, 42.2), ("coco_stuff", 72.5, 42.4), ("cityscapes", 67.9, 75.5)]
)
def test_costs_what_the_paper_says(
    name: str, millions: float, gmacs: float, with_offsets: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Table I. Offsets are looked up and not multiplied, so their values are not needed to count."""
    monkeypatch.setattr(clade, "centre_offsets", _no_offsets)
    costs = millions_and_gmacs(PUBLISHED[name + with_offsets], Clade)
    assert costs == pytest.approx((millions, gmacs), rel=0.01)


def _no_offsets(labels: Tensor, left_out: int) -> Tensor:
    return torch.zeros(len(labels), 2, *labels.shape[1:], device=labels.device)


@pytest.mark.parametrize("num_spatial", [0, 3, 7])
def test_blocks_up_to_a_resolution_may_be_spatial(num_spatial: int) -> None:
    generator = Clade(replace(TINY, num_spatial_blocks=num_spatial))
    kinds = [type(block.norm_0) for block in generator.decoder.blocks]
    assert kinds == [SpatialModulation] * num_spatial + [ClassModulation] * (7 - num_spatial)
    assert generator(Condition(labels=LABELS)).image.isfinite().all()


@pytest.mark.parametrize("way", ["offsets_modulate", "offsets_in_features", "offsets_in_input"])
def test_offsets_reach_the_picture_and_all_weights_learn(way: str) -> None:
    generator = Clade(replace(TINY, **{way: True}))
    condition = Condition(labels=LABELS)
    image = generator(condition).image
    image.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in generator.parameters())
    # Every pixel of class 0 is left out by default, of class 1 then.
    generator.config = replace(generator.config, without_offsets=1)
    assert not torch.equal(generator(condition).image, image)


@torch.no_grad()
def test_any_size_even_after_another() -> None:
    generator = Clade(replace(TINY, instance_edges=True, offsets_modulate=True)).eval()
    for height, width in ((64, 32), (37, 70), (1, 1)):
        labels = torch.randint(4, (1, height, width))
        assert generator(Condition(labels=labels, instances=labels)).image.shape == (1, 3, height, width)


def test_padding_does_not_move_the_centres_of_objects() -> None:
    generator = Clade(replace(TINY, offsets_modulate=True)).eval()
    condition = Condition(labels=torch.ones(1, 33, 32, dtype=torch.int64))
    layout = generator._layout(condition, condition.padded(32))
    assert layout.offsets[0, 0, :33, 0].sum().abs() < 1e-4
    assert layout.offsets.shape == (1, 2, 64, 32)


def test_what_has_no_classes_is_refused() -> None:
    with pytest.raises(InputError, match="clade reads label maps, not pictures of 3 channels"):
        CladeConfig(image_channels=3)
    with pytest.raises(InputError, match="norm must be one of"):
        replace(TINY, norm="layer")
    with pytest.raises(InputError, match="a label map of 4 classes is needed"):
        Clade(TINY)(Condition(image=torch.zeros(1, 3, 32, 32)))
