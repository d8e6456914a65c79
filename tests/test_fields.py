"""Dataclasses from JSON: what fits is taken, what does not is named with its value and what was expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pixelwise.errors import InputError
from pixelwise.fields import from_fields


@dataclass(frozen=True)
class Part:
    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...] = ()
    white: float = 0
    grey: bool = False
    ignore: int | None = None


@dataclass(frozen=True)
class Whole:
    part: Part | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    anything: Mapping[str, Any] = field(default_factory=dict)


def test_values_of_the_declared_types_are_taken_as_they_are():
    content = json.loads('{"names": ["a"], "colours": [[1, 2, 3]], "white": 5, "grey": true, "ignore": null}')
    assert from_fields(Part, content) == Part(["a"], [[1, 2, 3]], 5, True, None)
    part = Part(("a",))
    assert from_fields(Whole, {"part": part, "parts": {"x": part}, "anything": {"x": [None, True]}}).parts["x"] is part


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"names": "wall, door"}, "'names' must be a list of text, got 'wall, door'"),
        ({"names": [1]}, r"'names' must be a list of text, got \[1\]"),
        ({"names": None}, "'names' must be a list of text, got None"),
        ({"colours": [[1, 2]]}, r"must be a list of \[an integer, an integer, an integer\], got \[\[1, 2\]\]"),
        ({"white": "255"}, "'white' must be a number, got '255'"),
        ({"white": True}, "'white' must be a number, got True"),
        ({"grey": "no"}, "'grey' must be true or false, got 'no'"),
        ({"grey": 1}, "'grey' must be true or false, got 1"),
        ({"ignore": 255.0}, r"'ignore' must be an integer or null, got 255\.0"),
        ({"ignore": False}, "'ignore' must be an integer or null, got False"),
        ({"nmaes": []}, "no field 'nmaes'; there are names, colours"),
    ],
)  # fmt: skip
def test_values_of_other_types_are_named(fields: dict[str, object], message: str):
    with pytest.raises(InputError, match=message):
        from_fields(Part, {"names": ["a"], **fields})


def test_missing_fields_and_what_is_no_object_are_named():
    with pytest.raises(InputError, match="'names' is missing"):
        from_fields(Part, {})
    with pytest.raises(InputError, match=r"expected an object of fields, got \[\]"):
        from_fields(Part, [])
    with pytest.raises(InputError, match="'part' must be an object of fields or null"):
        from_fields(Whole, {"part": {"names": ["a"]}})
    with pytest.raises(InputError, match="'parts' must be an object of fields"):
        from_fields(Whole, {"parts": {"x": 3}})
