"""Dataclasses from JSON, every value held to the type that its field declares.

Without it, ``"names": "wall, door"`` would be ten classes of one letter, and ``"grey_as_colour": "no"`` would be true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pixelwise.errors import InputError

T = TypeVar("T")


def from_fields(kind: type[T], content: object) -> T:
    """``kind(**content)``, once it is clear that this can be done.

    Args:
        kind: a dataclass of scalars, tuples, mappings and other dataclasses.
        content: an object as JSON gives it: a list where a tuple is declared, perhaps an integer for a float. What is
            declared as another dataclass must be one already.

    Raises:
        InputError: no object, unknown or missing fields, values of another type, or whatever ``kind`` refuses.
    """
    if not isinstance(content, Mapping):
        raise InputError(f"expected an object of fields, got {content!r:.80}")
    check_fields(kind, content)
    return kind(**content)


def check_fields(kind: type, content: Mapping[str, Any]) -> None:
    """Raises InputError for unknown or missing fields of a dataclass, or values of another type than they declare."""
    known = {field.name: field for field in fields(kind)}
    if unknown := sorted(map(repr, content.keys() - known.keys())):
        raise InputError(f"no field {', '.join(unknown)}; there are {', '.join(known)}")
    for name, field in known.items():
        if name not in content and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"{name!r} is missing")
    declared = get_type_hints(kind)
    for name, value in content.items():
        if not _fits(value, declared[name]):
            raise InputError(f"{name!r} must be {_text(declared[name])}, got {value!r:.80}")


def _fits(value: object, declared: Any) -> bool:
    origin, parts = get_origin(declared), get_args(declared)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple:
        return isinstance(value, list | tuple) and _all_fit(value, parts)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(_fits(part, parts[1]) for part in value.values())
    if isinstance(value, bool):
        return declared in (bool, Any)
    return declared is Any or isinstance(value, (int, float) if declared is float else declared)


def _all_fit(values: list[object] | tuple[object, ...], parts: tuple[Any, ...]) -> bool:
    if parts[-1] is Ellipsis:
        return all(_fits(value, parts[0]) for value in values)
    return len(values) == len(parts) and all(_fits(value, part) for value, part in zip(values, parts, strict=True))


def _text(declared: Any) -> str:
    """A type in words of JSON."""
    parts = get_args(declared)
    if get_origin(declared) in (Union, UnionType):
        return " or ".join(_text(part) for part in parts)
    if get_origin(declared) is tuple:
        return f"a list of {_text(parts[0])}" if parts[-1] is Ellipsis else f"[{', '.join(map(_text, parts))}]"
    words = {str: "text", int: "an integer", float: "a number", bool: "true or false", type(None): "null"}
    return words.get(declared, "an object of fields")
