"""Published names: from theirs to ours, and the way back, by which users are told what is missing."""

from __future__ import annotations

import re

import pytest
import torch
from recorded import RECORDED_CONFIGS, recorded
from tiny_model import TINY_FAMILIES
from torch import Tensor

from pixelwise.layers.published_names import with_hooked_norms
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.family import GeneratorConfig

CONFIGS = {
    **{f"{name}, tiny": config for name, config in TINY_FAMILIES.items()},
    **{f"{family.name} {name}": each.config for family in FAMILIES.values() for name, each in family.published.items()},
}
LEFT_OUT = {
    "ccfpse": r"\.norm_0\.|\.norm_layer\.",
    "groupdnet": r"\.up_4\.",
    "sean": r"\.Spade\.param_free_norm|up_3\.ace_[01s]\.blending|fc_mu([5-9]|1\d)\.",
}
"""Published names that no network of ours has; of SEAN also those of classes beyond the five in use."""


def shapes(state_dict: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state_dict.items()}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_way_back_is_one(config: GeneratorConfig) -> None:
    family = family_of(config)
    with torch.device("meta"):
        ours = family.generator(config).state_dict()
        published = family.as_published(ours, config)
        assert shapes(family.adopt(published, config)) == shapes(ours)


@pytest.mark.parametrize("name", RECORDED_CONFIGS)
def test_the_way_back_leads_to_the_recorded_names_and_shapes(name: str) -> None:
    config, (_, weights) = RECORDED_CONFIGS[name], recorded(name)
    family = family_of(config)
    with torch.device("meta"):
        published = family.as_published(family.generator(config).state_dict(), config)
    used = {key: tensor for key, tensor in weights.items() if not re.search(LEFT_OUT.get(name, "^$"), key)}
    expected = {key.removeprefix("netG."): shape for key, shape in shapes(with_hooked_norms(used)).items()}
    assert shapes(published) == expected
