"""What an evaluation wrote, ``report.json``, as types: a report is made of nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.machine import circumstances_text

ByClass = Mapping[str, float | None]
"""A figure of every class by its name; None where a class has none, because it does not occur."""

_SAME = ("protocol", "what", "samples", "names_sha256", "targets_sha256")
"""What results must have in common to be compared."""


@dataclass(frozen=True)
class Timing:
    """How long one call takes, in seconds, and what must be said beside it.

    Attributes:
        median, lower_quartile, upper_quartile: over ``repeats`` calls, all above 0.
        repeats: calls that were measured.
        threads: of the CPU.
        size: (height, width) of the pictures.
        device: such as cpu.
        dtype: of the numbers that were computed with.
        batch: pictures of one call.
        low_resolution: the median of a pixelwise model's low-resolution stream by itself; None where it was not timed.
    """

    median: float
    lower_quartile: float
    upper_quartile: float
    repeats: int
    threads: int
    size: tuple[int, int]
    device: str
    dtype: str
    batch: int = 1
    low_resolution: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", tuple(self.size))
        if not 0 < self.lower_quartile <= self.median <= self.upper_quartile:
            raise InputError(
                "expected 0 < lower_quartile <= median <= upper_quartile, got "
                f"{self.lower_quartile}, {self.median}, {self.upper_quartile}"
            )


@dataclass(frozen=True)
class MacCount:
    """Multiply-adds of one picture.

    Attributes:
        total: of all that is counted.
        pixelwise: of that, what is done for every pixel by itself; None for a model without a pixelwise part.
    """

    total: int
    pixelwise: int | None = None


@dataclass(frozen=True)
class ModelResults:
    """One model.

    Attributes:
        model: its name, a line in every table.
        figures: of all pictures together, by name. A mapping inside goes class by class.
        real: whether this is no model but the real photos, judged by the measures that compare with no target.
        family: whose it is; none of finished pictures, of which nobody knows what made them.
        file_sha256: of its checkpoint.
        parameters: learned numbers.
        macs, runtime: of one picture, or call.
        peak_memory: most bytes at inference.
        training_memory: most bytes of a step of training, of the generator alone.
        scores: of single pictures, by their names, then by measure.
        pictures: folder of what it made, relative to the results' file: ``<name of the picture>.png``.
    """

    model: str
    figures: Mapping[str, float | ByClass | None]
    real: bool = False
    family: str | None = None
    file_sha256: str | None = None
    parameters: int | None = None
    macs: MacCount | None = None
    runtime: Timing | None = None
    peak_memory: int | None = None
    training_memory: int | None = None
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    pictures: str | None = None

    def __post_init__(self) -> None:
        _check_inside(self.pictures, "pictures")

    @classmethod
    def from_json(cls, content: object) -> ModelResults:
        """Raises InputError for unknown, missing or unfit fields, by name."""
        if isinstance(content, Mapping):
            content = _with_part(_with_part(content, "macs", MacCount), "runtime", Timing)
        return from_fields(cls, content)

    def scalar(self, name: str) -> float | None:
        """A figure of all pictures together; None where there is none of this name, or one class by class."""
        value = self.figures.get(name)
        return None if isinstance(value, Mapping) else value

    def by_class(self, name: str) -> ByClass | None:
        """A figure class by class; None where there is none."""
        value = self.figures.get(name)
        return value if isinstance(value, Mapping) else None


@dataclass(frozen=True)
class Results:
    """Models on the same pictures by one protocol.

    Attributes:
        protocol: its name.
        what: all that the name stands for, for people.
        samples: how many pictures.
        names_sha256, targets_sha256: of the pictures' names, and of all that was compared with.
        command: what was called, to be called again.
        circumstances: what ``pixelwise.machine.circumstances`` found.
        models: in the order of the tables; their names differ.
        remarks: what a reader must know besides, such as why a measure is missing.
        inputs, targets: folders relative to the results' file: what people see of the conditions, and real pictures.
    """

    protocol: str
    what: str
    samples: int
    names_sha256: str
    targets_sha256: str
    command: str
    circumstances: Mapping[str, Any]
    models: tuple[ModelResults, ...]
    remarks: tuple[str, ...] = ()
    inputs: str | None = None
    targets: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", tuple(self.models))
        object.__setattr__(self, "remarks", tuple(self.remarks))
        names = [model.model for model in self.models]
        if not names:
            raise InputError("'models' is empty, expected one at least")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"'models': {', '.join(map(repr, twice))} more than once; names must differ")
        try:
            circumstances_text(self.circumstances)
        except (KeyError, TypeError) as error:
            raise InputError(f"'circumstances' are not what pixelwise.machine finds, at {error}") from error
        _check_inside(self.inputs, "inputs")
        _check_inside(self.targets, "targets")

    @classmethod
    def from_json(cls, content: object) -> Results:
        """What JSON holds. Raises InputError for unknown, missing or unfit fields, by name."""
        if isinstance(content, Mapping) and isinstance(content.get("models"), list):
            models = [
                _named(f"'models'[{number}]", ModelResults.from_json, model)
                for number, model in enumerate(content["models"])
            ]
            content = {**content, "models": models}
        return from_fields(cls, content)

    @property
    def made(self) -> tuple[ModelResults, ...]:
        """Those that are models, not real photos."""
        return tuple(model for model in self.models if not model.real)


def read_results(path: Path) -> Results:
    """Reads ``report.json``. Raises InputError, naming the file, when it is missing or wrong."""
    try:
        return Results.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: {error}") from error


def together(results: Sequence[Results]) -> Results:
    """The models of several evaluations as one, for one table. The first says how to call it and where it ran.

    Where another ran under other circumstances, a remark says so. A row for real photos is taken once, from the first
    that has one.

    Raises:
        InputError: figures of several protocols, pictures or targets, which must not be compared; none at all; models
            of one name.
    """
    if not results:
        raise InputError("no results")
    first = results[0]
    for name in _SAME:
        if len(values := {getattr(each, name): None for each in results}) > 1:
            raise InputError(f"one table is of one {name}, got {', '.join(map(repr, values))}")
    models = [model for each in results for model in each.made]
    real = [model for each in results for model in each.models if model.real]
    remarks = [remark for each in results for remark in each.remarks]
    remarks += [_elsewhere(each) for each in results[1:] if each.circumstances != first.circumstances]
    return replace(first, models=(*models, *real[:1]), remarks=tuple(dict.fromkeys(remarks)))


def _elsewhere(results: Results) -> str:
    names = ", ".join(model.model for model in results.made)
    return f"{names}: measured by itself, {results.command}; {circumstances_text(results.circumstances)}"


def _with_part(content: Mapping[str, Any], name: str, kind: type) -> Mapping[str, Any]:
    if content.get(name) is None:
        return content
    return {**content, name: _named(repr(name), lambda part: from_fields(kind, part), content[name])}


def _named(name: str, read: Any, content: object) -> Any:
    try:
        return read(content)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _check_inside(folder: str | None, name: str) -> None:
    if folder is not None and (PurePosixPath(folder).is_absolute() or ".." in PurePosixPath(folder).parts):
        raise InputError(f"{name!r} must be a folder beside the results' file, got {folder!r}")
