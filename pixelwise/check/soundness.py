"""What a check of a data set found, for programs and for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_MOST_SIZES = 5
_MOST_CLASSES = 256
_MOST_PROBLEMS = 50


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file or folder; the text names it too."""

    file: str
    text: str


@dataclass(frozen=True)
class Split:
    """One part of the data set: its name (empty when there is only one), files by kind, and complete samples."""

    name: str
    files: dict[str, int]
    num_samples: int


@dataclass(frozen=True)
class ClassShare:
    """How often a value occurs in the label maps.

    Attributes:
        value: the id, or a colour as ``#rrggbb``.
        name: of the class, ``don't care``, or empty without a spec.
        num_pixels, share: of all label pixels; share in 0..1.
        num_maps: label maps with at least one such pixel.
    """

    value: int | str
    name: str
    num_pixels: int
    share: float
    num_maps: int


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        root: the folder.
        splits: its parts.
        sizes: samples by ``widthxheight``.
        formats: for each kind of image, files by ``channels dtype``.
        classes: values in the label maps, by falling share; with a spec also the classes that never occur.
        problems: all that would stop a training run.
    """

    root: str
    splits: tuple[Split, ...]
    sizes: dict[str, int]
    formats: dict[str, dict[str, int]]
    classes: tuple[ClassShare, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}

    def to_text(self) -> str:
        """The report for people, several lines."""
        lines = [self.root]
        for split in self.splits:
            files = ", ".join(f"{count} {kind}" for kind, count in split.files.items())
            lines.append(f"  {split.name or 'all'}: {split.num_samples} samples ({files})")
        for kind, formats in self.formats.items():
            lines.append(f"  {kind}: " + ", ".join(f"{count} of {text}" for text, count in formats.items()))
        sizes = [f"  size {size}: {count} samples" for size, count in self.sizes.items()]
        classes = [f"  {row.value:>8}  {row.share:8.3%}  {row.num_maps:6}  {row.name}" for row in self.classes]
        lines += _shortened(sizes, _MOST_SIZES, "sizes")
        lines += [f"  {'id':>8}  {'share':>8}  {'maps':>6}  class"] if classes else []
        lines += _shortened(classes, _MOST_CLASSES, "ids")
        lines += _shortened([problem.text for problem in self.problems], _MOST_PROBLEMS, "problems")
        return "\n".join([*lines, "no problems" if self.ok else f"{len(self.problems)} problems"])


def _shortened(lines: list[str], most: int, noun: str) -> list[str]:
    hidden = len(lines) - most
    return lines if hidden <= 0 else [*lines[:most], f"… and {hidden} more {noun}"]
