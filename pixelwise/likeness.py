"""Which family a published state dict is most like: for those who have weights and name the wrong family."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from pixelwise.initial_weights import NothingDrawn
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.family import Family, GeneratorConfig, StateDict

_ENOUGH = 0.5
"""The share of kinds of names that a family must have in common with a state dict to be named."""

_ENCODERS = ("netE.", "Zencoder.")
"""May have been published apart."""

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Kept or not, as the norm is."""


def nearest_family(state_dict: StateDict, config: GeneratorConfig) -> str | None:
    """The family whose generator's names are most like those of a state dict.

    Names are compared by kind, without the numbers in them: so neither width nor depth counts. Where that leaves a
    choice, proportions decide, of layers that have more outputs than inputs or fewer; then shapes.

    Args:
        state_dict: under published names.
        config: counts too, beside the published configurations of all families.

    Returns:
        Its name; None when even that one has less than half of the kinds in common.
    """
    found = _Names.of(state_dict)
    likenesses = {
        name: max(_likeness(_wanted(candidate), found) for candidate in _candidates(family, config))
        for name, family in FAMILIES.items()
    }
    # Of families that are equally like it the first one, but rather the one of ``config``.
    best = max(likenesses, key=lambda name: (*likenesses[name], type(config) is FAMILIES[name].config))
    return best if likenesses[best][0] >= _ENOUGH else None


@dataclass(frozen=True)
class _Names:
    """Of a generator under published names, without its encoder."""

    kinds: frozenset[str]
    proportions: frozenset[tuple[str, bool, bool]]
    shapes: frozenset[tuple[str, torch.Size]]

    @classmethod
    def of(cls, published: StateDict) -> _Names:
        weights = {name.removeprefix("netG."): tensor.shape for name, tensor in published.items()}
        shapes = {name: shape for name, shape in weights.items() if not name.startswith(_ENCODERS)}
        kinds = {name: _kind(name) for name in shapes if not name.endswith(_STATISTICS)}
        layers = [(kind, *shapes[name][:2]) for name, kind in kinds.items() if len(shapes[name]) > 1]
        proportions = frozenset((kind, outputs > inputs, outputs < inputs) for kind, outputs, inputs in layers)
        return cls(frozenset(kinds.values()), proportions, frozenset(shapes.items()))


def _kind(name: str) -> str:
    """Without numbers, repetitions of nested parts, and what a spectral norm adds."""
    unnumbered = re.sub(r"\d+", "#", name)
    return re.sub(r"_(orig|u|v)$", "", re.sub(r"(\w+\.#\.)\1+", r"\1", unnumbered))


def _candidates(family: Family, config: GeneratorConfig) -> list[Any]:
    named = [config] if type(config) is family.config else []
    published = [published.config for published in family.published.values()]
    return [*dict.fromkeys([*named, *(published or [family.config(num_labels=1, out_channels=3)])])]


@cache
def _wanted(config: Any) -> _Names:
    family = family_of(config)
    with NothingDrawn(), torch.device("meta"):
        return _Names.of(family.as_published(family.generator(config).state_dict(), config))


def _likeness(one: _Names, other: _Names) -> tuple[float, float, float]:
    """The shares of kinds, of proportions and of names with their shapes, among all that are on either side."""
    kinds, proportions = _share(one.kinds, other.kinds), _share(one.proportions, other.proportions)
    return kinds, proportions, _share(one.shapes, other.shapes)


def _share(one: frozenset[Any], other: frozenset[Any]) -> float:
    return len(one & other) / max(1, len(one | other))
