"""FAMILIES: the table of contents. One paper, one file, one line here."""

from __future__ import annotations

from collections.abc import Mapping

from pixelwise.errors import InputError
from pixelwise.models import asapnet
from pixelwise.models.family import Family

FAMILIES: Mapping[str, Family] = {family.name: family for family in (asapnet.FAMILY,)}


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
