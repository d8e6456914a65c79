"""Weights of no particular size, under names as their authors gave them."""

from collections.abc import Iterable

import pytest
import torch
from recorded import RECORDED_CONFIGS, recorded
from tiny_model import TINY_FAMILIES
from torch import Tensor

from pixelwise.likeness import nearest_family
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.groupdnet import GroupDNetConfig
from pixelwise.models.pix2pix import Pix2Pix, Pix2PixConfig
from pixelwise.models.sims import SimsConfig
from pixelwise.models.spade import SpadeConfig

SPADE = SpadeConfig(num_labels=6, out_channels=3, width=2)


SMALL = {
    **TINY_FAMILIES,
    "sims": SimsConfig(num_labels=4, out_channels=3, width=4, max_width=4, num_reductions=1, ordering_width=2),
}


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
    ("layers", "family"),
    [(pix2pixhd_layers(), "pix2pixhd"), (unet_layers(8), "pix2pix"), (unet_layers(5), "pix2pix"), (["layer.0"], None)],
)
def test_names_tell_the_family(layers: list[str], family: str | None) -> None:
    assert nearest_family(weights(layers), SPADE) == family


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_are_told_from_those_of_every_other_family(name: str) -> None:
    """Whatever configuration they were taken for, and though none of their size is published."""
    config = SMALL[name]
    family = family_of(config)
    with torch.device("meta"):
        published = family.as_published(family.generator(config).state_dict(), config)
    assert {nearest_family(published, other) for other in SMALL.values()} == {family.name}


@pytest.mark.parametrize("name", RECORDED_CONFIGS)
def test_recorded_networks_are_told_too(name: str) -> None:
    _, published = recorded(name)
    family = family_of(RECORDED_CONFIGS[name]).name
    assert {nearest_family(published, config) for config in SMALL.values()} == {family}


def test_a_configuration_counts_beside_those_that_are_published() -> None:
    residual = Pix2PixConfig(image_channels=3, out_channels=3, width=2, num_downsamplings=2, num_blocks=2)
    with torch.device("meta"):
        published = FAMILIES["pix2pix"].as_published(Pix2Pix(residual).state_dict(), residual)
    assert nearest_family(published, SPADE) == "pix2pixhd"
    assert nearest_family(published, residual) == "pix2pix"


def test_shapes_decide_between_families_of_the_same_names() -> None:
    _, published = recorded("groupdnet")
    assert nearest_family(published, SPADE) == "groupdnet"
    assert nearest_family(published, GroupDNetConfig(num_labels=8, out_channels=3)) == "groupdnet"
    assert nearest_family(recorded("spade")[1], SPADE) == "spade"
