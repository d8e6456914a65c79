"""FAMILIES: the table of contents. One paper, one file, one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from pixelwise.errors import InputError
from pixelwise.models import (
    asapnet,
    ccfpse,
    clade,
    crn,
    dagan,
    dncnn,
    groupdnet,
    msgunet,
    pan,
    pix2pix,
    pix2pixhd,
    sean,
    sims,
    spade,
)
from pixelwise.models.family import Family, Generator, WindowGenerator
from pixelwise.models.fast_asapnet import FastAsapNet
from pixelwise.models.tiled import Tiled

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        asapnet.FAMILY,
        spade.FAMILY,
        clade.FAMILY,
        dagan.FAMILY,
        ccfpse.FAMILY,
        sean.FAMILY,
        groupdnet.FAMILY,
        pix2pix.FAMILY,
        pix2pixhd.FAMILY,
        msgunet.FAMILY,
        pan.FAMILY,
        crn.FAMILY,
        sims.FAMILY,
        dncnn.FAMILY,
    )
}


FOR_INFERENCE: Mapping[str, Callable[[Any, str, torch.dtype], WindowGenerator]] = {"asapnet": FastAsapNet}
"""Families whose generators are made ready for inference by (generator, engine, dtype); they render parts and scales
too."""


def family_named(name: str) -> Family:
    """Raises InputError with the names that exist."""
    if name not in FAMILIES:
        raise InputError(f"no family {name!r}; there are {', '.join(FAMILIES)}")
    return FAMILIES[name]


def family_of(config: object) -> Family:
    """The family whose configuration this is. Raises InputError when it is none's."""
    for family in FAMILIES.values():
        if type(config) is family.config:
            return family
    raise InputError(f"{type(config).__name__} is no family's configuration")


def for_inference(
    generator: Generator, engine: str = "auto", dtype: torch.dtype = torch.float32
) -> WindowGenerator | None:
    """``generator`` made ready by its family's engines, or, where a pixel depends on its surroundings only, for tiles.

    Returns:
        None where a family has no engines and a picture must be made whole.

    Raises:
        InputError: an engine that cannot run here or in ``dtype``; for a family that has none any but "auto", and
            any ``dtype`` but float32.
    """
    family = family_of(generator.config)
    if family.name in FOR_INFERENCE:
        return FOR_INFERENCE[family.name](generator, engine, dtype)
    if engine != "auto":
        raise InputError(f"engine {engine!r}: models of the family {family.name} have no engines to choose from")
    if dtype != torch.float32:
        raise InputError(f"{dtype}: models of the family {family.name} compute in float32")
    reach = family.reach(generator.config)
    return None if reach is None else Tiled(generator, reach)
