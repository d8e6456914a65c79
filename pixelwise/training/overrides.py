"""A configuration's flat fields as command-line flags."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, get_type_hints

from pixelwise.errors import InputError
from pixelwise.training.config import TrainConfig

Parser = Callable[[str], Any]


def override(config: TrainConfig, arguments: Sequence[str]) -> TrainConfig:
    """The configuration with fields replaced.

    Args:
        config: what an experiment file binds.
        arguments: flags such as ``--batch-size 4`` or ``--batch-size=4``, ``--crop 256x256`` (height first) or
            ``--crop none``, ``--betas 0.5,0.999``, ``--flip`` or ``--no-flip``. The last one of a name counts.

    Raises:
        InputError: an unknown flag (the message lists those that exist), a missing or unsuitable value.
    """
    parsers, switches = _parsers(), _switches()
    values: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        flag, has_value, text = argument.partition("=")
        name = flag.removeprefix("--").replace("-", "_")
        if argument in switches:
            values |= switches[argument]
        elif flag == _flag(name) and name in parsers:
            if not has_value and not rest:
                raise InputError(f"{flag} needs a value")
            values[name] = _parse(parsers[name], flag, text if has_value else rest.pop(0))
        else:
            flags = [*map(_flag, parsers), *switches]
            raise InputError(f"no flag {argument!r}; an experiment has {', '.join(flags)}")
    return replace(config, **values)


def describe_flags(config: TrainConfig) -> str:
    """All flags for people: the value that each has in ``config``, and what it means; many lines."""
    meanings, switched = _meanings(), [name for switch in _switches().values() for name in switch]
    lines: list[str] = []
    for name, hint in get_type_hints(TrainConfig).items():
        if name in _parsers() or name in switched:
            flags = f"{_flag(name)}, {_flag('no_' + name)}:" if name in switched else _flag(name)
            lines.append(f"{flags} {_value_text(getattr(config, name), hint)}")
            lines += textwrap.wrap(meanings.get(name, ""), 100, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _parsers() -> dict[str, Parser]:
    """How flat fields are read. Those that hold configurations of their own are set in the experiment file."""
    known: dict[Any, Parser] = {
        int: _whole_number,
        float: _number,
        str: str,
        tuple[int, int] | None: _size,
        tuple[float, float]: _two_numbers,
    }
    return {name: known[hint] for name, hint in get_type_hints(TrainConfig).items() if hint in known}


def _switches() -> dict[str, dict[str, bool]]:
    """Flags without a value, with the fields that they set."""
    names = [name for name, hint in get_type_hints(TrainConfig).items() if hint is bool]
    return {_flag(prefix + name): {name: not prefix} for name in names for prefix in ("", "no_")}


def _meanings() -> dict[str, str]:
    """What the configuration's docstring says of each field."""
    attributes = (inspect.getdoc(TrainConfig) or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^    ([\w, ]+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def _value_text(value: Any, hint: Any) -> str:
    """A value as ``_parsers`` read it, by its field's type: a number such as 0 may stand for 0.0."""
    if isinstance(value, tuple):
        return ("," if hint == tuple[float, float] else "x").join(map(str, value))
    return "none" if value is None else str(value) or '""'


def _parse(parser: Parser, flag: str, text: str) -> Any:
    try:
        return parser(text)
    except ValueError as error:
        raise InputError(f"{flag} {text!r}: {error}") from error


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"-?\d[\d_]*", text):
        raise ValueError("expected a whole number")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("expected a number") from None


def _size(text: str) -> tuple[int, int] | None:
    if text == "none":
        return None
    if not (match := re.fullmatch(r"(\d+)[x,](\d+)", text)):
        raise ValueError("expected HEIGHTxWIDTH, or none")
    return int(match[1]), int(match[2])


def _two_numbers(text: str) -> tuple[float, float]:
    first, comma, second = text.partition(",")
    if not comma:
        raise ValueError("expected two numbers with a comma between them")
    return _number(first), _number(second)
