"""What holds for every family."""

from __future__ import annotations

import pytest

from pixelwise.condition import ConditionSpec
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.models import FAMILIES, family_named, family_of
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.family import config_for, config_from_json


@pytest.mark.parametrize("name", FAMILIES)
def test_names_agree(name: str) -> None:
    family = family_named(name)
    assert family.name == name
    assert family.generator.__module__ == f"pixelwise.models.{name}"
    assert family_of(family.config()) is family


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
