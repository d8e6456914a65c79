"""Weights of no particular size, under names as their authors gave them."""

from collections.abc import Iterable

import pytest
import torch
from recorded import recorded
from torch import Tensor

from pixelwise.likeness import nearest_family
from pixelwise.models.groupdnet import GroupDNetConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.spade import SpadeConfig

SPADE = SpadeConfig(num_labels=6, out_channels=3, width=2)


def weights(layers: Iterable[str]) -> dict[str, Tensor]:
    return {f"{layer}.{part}": torch.zeros(1) for layer in layers for part in ("weight", "bias")}


def pix2pixhd_layers() -> list[str]:
    blocks = [f"model.{block}.conv_block.{place}" for block in range(16, 25) for place in (1, 5)]
    return [*(f"model.{place}" for place in (1, 4, 7, 10, 13, 25, 28, 31, 34, 38)), *blocks]


def unet_layers(num_levels: int) -> list[str]:
    """Levels one within the other; the innermost one has no norm where the others do."""
    layers, outer = ["model.model.0", "model.model.3"], "model.model.1"
    for level in range(1, num_levels):
        innermost = level == num_levels - 1
        layers += [f"{outer}.model.{place}" for place in ((1, 3, 4) if innermost else (1, 2, 5, 6))]
        outer += ".model.3"
    return layers


@pytest.mark.parametrize(
    ("layers", "family"), [(pix2pixhd_layers(), "pix2pixhd"), (unet_layers(8), "pix2pix"), (["layer.0"], None)]
)
def test_names_tell_the_family(layers: list[str], family: str | None) -> None:
    assert nearest_family(weights(layers), SPADE) == family


def test_a_configuration_counts_beside_those_that_are_published() -> None:
    assert nearest_family(weights(unet_layers(5)), SPADE) is None
    assert (
        nearest_family(weights(unet_layers(5)), Pix2PixConfig(image_channels=3, out_channels=3, num_downsamplings=5))
        == "pix2pix"
    )


def test_shapes_decide_between_families_of_the_same_names() -> None:
    _, published = recorded("groupdnet")
    assert nearest_family(published, SPADE) == "groupdnet"
    assert nearest_family(published, GroupDNetConfig(num_labels=8, out_channels=3)) == "groupdnet"
    assert nearest_family(recorded("spade")[1], SPADE) == "spade"
