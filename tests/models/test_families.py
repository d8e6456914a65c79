"""What holds for every family."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from default_type import float64_by_default
from gradients import assert_reached, awake
from tiny_model import LABELS, TINY_FAMILIES
from torch import Tensor, nn

from pixelwise.bench.families import condition_for
from pixelwise.chance import seeded
from pixelwise.checkpoint import load_checkpoint, manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec, stack_conditions
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.layers.modulation import SpatialModulation
from pixelwise.models import FAMILIES, family_named, family_of, for_inference
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.family import Family, Generator, GeneratorConfig, config_for, config_from_json, config_to_json


@pytest.mark.parametrize("name", FAMILIES)
def test_names_agree(name: str) -> None:
    family = family_named(name)
    assert family.name == name
    assert family.generator.__module__ == f"pixelwise.models.{name}"
    assert family_of(family.config()) is family


def test_every_family_is_among_those_that_are_tested_here() -> None:
    assert FAMILIES.keys() - TINY_FAMILIES.keys() == {"sims"}


UNREACHED = {"msgunet": ("to_picture.1.", "to_picture.2.")}
"""By family the beginnings of names of what the picture at full size does not need: what makes smaller ones of it."""


@pytest.fixture(params=TINY_FAMILIES)
def config(request: pytest.FixtureRequest) -> GeneratorConfig:
    return TINY_FAMILIES[request.param]


def network(config: GeneratorConfig) -> nn.Module:
    torch.manual_seed(0)
    return family_of(config).generator(config)


@torch.no_grad()
def test_any_size_even_after_another(config: GeneratorConfig) -> None:
    generator = network(config).eval()

    def picture(size: tuple[int, int]) -> Tensor:
        with seeded(0, torch.device("cpu")):
            return generator(condition_for(config, size)).image  # type: ignore[no-any-return]

    first = picture((64, 64))
    for size in ((37, 70), (8, 9), (8, 90)):
        assert picture(size).shape == (1, 3, *size)
    assert torch.equal(picture((64, 64)), first)


@pytest.mark.parametrize("name", ["spade", "clade", "ccfpse", "dagan", "sean"])
def test_channels_that_read_the_label_map_can_be_few(name: str) -> None:
    fields = {"num_spatial_blocks": 3} if name == "clade" else {}
    config = replace(TINY_FAMILIES[name], hidden=3, **fields)  # type: ignore[type-var]
    modulations = [part for part in network(config).modules() if isinstance(part, SpatialModulation)]
    assert modulations
    assert {len(part.shared.weight) for part in modulations} == {3}


def test_configurations_survive_json(config: GeneratorConfig) -> None:
    family = family_of(config)
    assert config_from_json(family, json.loads(json.dumps(config_to_json(config)))) == config


@pytest.mark.parametrize("name", ["spade", "clade", "ccfpse", "dagan", "sean", "groupdnet"])
def test_a_start_of_a_single_place_is_not_trained_on(name: str) -> None:
    generator = network(TINY_FAMILIES[name]).train()
    condition = condition_for(TINY_FAMILIES[name], (generator.size_multiple, generator.size_multiple))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="1 x 1 of a single picture; train with larger crops"):
        generator(condition)
    assert generator(stack_conditions([condition, condition])).image.isfinite().all()


def test_gradients_reach_all_weights_but_those_that_are_stated(config: GeneratorConfig) -> None:
    generator = awake(network(config).train())
    condition = stack_conditions([condition_for(config, (64, 64)), condition_for(config, (64, 64))])
    generator(condition).image.square().sum().backward()
    assert_reached(generator, UNREACHED.get(family_of(config).name, ()))


def stored(generator: nn.Module, path: Path) -> Path:
    config: GeneratorConfig = generator.config  # type: ignore[assignment]
    labels = LABELS if config.num_labels else None
    reads_style = family_of(config).reads_style(config)
    spec = ConditionSpec(labels, config.instance_edges, config.image_channels, reads_style)
    image = ImageSpec(config.image_channels) if config.image_channels else None
    save_checkpoint(path, generator, manifest_for(config, spec, image=image))
    return path


@torch.no_grad()
def test_what_is_stored_makes_the_same_picture(config: GeneratorConfig, tmp_path: Path) -> None:
    generator, condition = network(config).eval(), condition_for(config, (40, 64))
    pictures = []
    for each in (generator, load_checkpoint(stored(generator, tmp_path / "m.safetensors")).generator):
        with seeded(0, torch.device("cpu")):
            pictures.append(each(condition).image)  # type: ignore[operator]
    assert torch.equal(*pictures)


@torch.no_grad()
def test_torchs_default_type_changes_nothing(config: GeneratorConfig, tmp_path: Path) -> None:
    path, condition = stored(network(config), tmp_path / "m.safetensors"), condition_for(config, (40, 64))

    def picture(generator: Generator) -> Tensor:
        with seeded(0, torch.device("cpu")):
            return (for_inference(generator) or generator)(condition).image

    generator = load_checkpoint(path).generator
    expected = picture(generator)
    with float64_by_default():
        assert torch.equal(picture(generator), expected)
        assert torch.equal(picture(load_checkpoint(path).generator), expected)


def test_unknown_family_lists_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"no family 'spode'; there are .*asapnet"):
        family_named("spode")
    with pytest.raises(InputError, match="no family's configuration"):
        family_of(object())


def test_unknown_field_lists_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"no field 'celll'; there are .*cell"):
        config_from_json(family_named("asapnet"), {"celll": 3})


@pytest.mark.parametrize("size", [[64], [64, 64, 64], ["64", "64"], [64.0, 64.0], 64])
def test_values_of_another_type_than_a_field_s_are_named(size: object) -> None:
    with pytest.raises(InputError, match=r"spade: 'size' must be \[an integer, an integer\], got "):
        config_from_json(family_named("spade"), {"size": size})


def test_a_configuration_is_completed_from_the_data_or_refused() -> None:
    spec = ConditionSpec(LabelSpec(("a", "b"), ignore_id=255))
    assert config_for(AsapNetConfig(), spec, 3) == AsapNetConfig(num_labels=3, out_channels=3)
    with pytest.raises(InputError, match="num_labels = 2, the data has 3"):
        config_for(AsapNetConfig(num_labels=2), spec, 3)
    with pytest.raises(InputError, match="no instance maps"):
        config_for(AsapNetConfig(instance_edges=True), spec, 3)


@pytest.mark.parametrize("width", [0, -1])
@pytest.mark.parametrize("family", [family for family in FAMILIES.values() if hasattr(family.config(), "width")])
def test_networks_have_channels(family: Family, width: int) -> None:
    with pytest.raises(InputError, match=rf"{family.name}: width must be at least 1, got {width}"):
        config_from_json(family, {"width": width})
