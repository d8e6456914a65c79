"""Which family a published state dict is most like: for those who have weights and name the wrong family."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from pixelwise.errors import InputError
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.family import Family, GeneratorConfig, StateDict

Shapes = dict[str, torch.Size]

_ENOUGH = 0.5
"""The share of names that a family must have in common with a state dict to be named."""


def nearest_family(state_dict: StateDict, config: GeneratorConfig) -> str | None:
    """The family whose generator shares most names with a state dict; where that leaves a choice, most shapes.

    Args:
        state_dict: under published names.
        config: counts too, beside the published configurations of all families.

    Returns:
        Its name; None when even that one has less than half of the names in common.
    """
    shapes = {name: weight.to("meta") for name, weight in state_dict.items()}
    likenesses = {
        name: max(
            (_likeness(family, candidate, shapes) for candidate in _candidates(family, config)), default=(0.0, 0.0)
        )
        for name, family in FAMILIES.items()
    }
    # Of families that are equally like it the first one, but rather the one of ``config``.
    best = max(likenesses, key=lambda name: (*likenesses[name], type(config) is FAMILIES[name].config))
    return best if likenesses[best][0] >= _ENOUGH else None


def _candidates(family: Family, config: GeneratorConfig) -> list[Any]:
    named = [config] if type(config) is family.config else []
    return [*dict.fromkeys([*named, *(published.config for published in family.published.values())])]


def _likeness(family: Family, config: Any, state_dict: StateDict) -> tuple[float, float]:
    """The shares of names, and of names with their shapes, among all that are on either side.

    Encoders don't count, which may have been published apart.
    """
    with torch.device("meta"):
        try:
            found = _shapes(family.adopt(state_dict, config))
        except InputError:
            return 0.0, 0.0
    wanted = _wanted(config)
    common = wanted.keys() & found.keys()
    alike = [name for name in common if wanted[name] == found[name]]
    num_names = len(wanted.keys() | found.keys())
    return len(common) / num_names, len(alike) / num_names


@cache
def _wanted(config: Any) -> Shapes:
    """Of the generator."""
    with torch.device("meta"):
        return _shapes(family_of(config).generator(config).state_dict())


def _shapes(weights: StateDict) -> Shapes:
    """Of all but an encoder."""
    return {name: weight.shape for name, weight in weights.items() if not {"encoder", "netE"} & set(name.split("."))}
