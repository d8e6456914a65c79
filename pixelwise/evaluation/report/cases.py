"""Which pictures a report shows: the best and the worst by a measure, and some that nobody chose."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pixelwise.evaluation.report.figures import figure_spec, in_order
from pixelwise.evaluation.report.results import ModelResults, Results

COUNT = 8
"""Pictures at each end of a ranking."""

EXTENSION = ".png"


@dataclass(frozen=True)
class Ranking:
    """A model's pictures by one measure.

    Attributes:
        model, measure: which.
        ends: scores of pictures by their names, the extreme one first, by what this end is called: worst and best;
            lowest and highest where nobody said what is better.
    """

    model: str
    measure: str
    ends: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Side:
    """Something that there is a picture of for every sample: the input, the real picture, what a model made.

    Attributes:
        label: for people.
        folder: relative to the report.
        model: whose; None for input and real picture.
    """

    label: str
    folder: str
    model: str | None = None

    def file(self, name: str) -> str:
        """Of a picture by its name, relative to the report."""
        return f"{self.folder}/{name}{EXTENSION}"


def measures(results: Results) -> list[str]:
    """Those that single pictures have scores by."""
    return in_order(measure for model in results.made for scores in model.scores.values() for measure in scores)


def rankings(results: Results, count: int = COUNT) -> list[Ranking]:
    """Of every model by every measure, ``count`` pictures at each end."""
    every = measures(results)
    return [_ranking(model, measure, count) for measure in every for model in results.made if _scored(model, measure)]


def spread(names: Sequence[str], count: int = COUNT) -> tuple[str, ...]:
    """``count`` of them evenly apart, from first to last, whatever is in them; all if there are no more."""
    if len(names) <= count or count < 2:
        return tuple(names[:count])
    return tuple(names[number * (len(names) - 1) // (count - 1)] for number in range(count))


def sides(results: Results) -> list[Side]:
    """Input, real picture, then models: those whose folders are known."""
    made = [Side(model.model, model.pictures, model.model) for model in results.made if model.pictures is not None]
    given = (("input", results.inputs), ("real", results.targets))
    return [*(Side(label, folder) for label, folder in given if folder is not None), *made]


def names_of(results: Results, folder: Path) -> list[str]:
    """Of all pictures: those that have scores; where none has, those of whose files there is a folder."""
    scored = dict.fromkeys(name for model in results.models for name in model.scores)
    return list(scored) or list(dict.fromkeys(name for side in sides(results) for name in _found(folder / side.folder)))


def address(file: str) -> str:
    """A relative path as a page refers to it, whatever characters are in it."""
    return quote(file)


def _ranking(model: ModelResults, measure: str, count: int) -> Ranking:
    scored = _scored(model, measure)
    lowest, highest = (
        {name: scored[name] for name in pick(count, scored, key=scored.__getitem__)}
        for pick in (heapq.nsmallest, heapq.nlargest)
    )
    more_is_better = figure_spec(measure).more_is_better
    if more_is_better is None:
        return Ranking(model.model, measure, {"lowest": lowest, "highest": highest})
    worst, best = (lowest, highest) if more_is_better else (highest, lowest)
    return Ranking(model.model, measure, {"worst": worst, "best": best})


def _scored(model: ModelResults, measure: str) -> dict[str, float]:
    """Scores that are numbers, by the pictures' names."""
    found = ((name, scores.get(measure)) for name, scores in model.scores.items())
    return {name: score for name, score in found if score is not None and score == score}


def _found(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob(f"*{EXTENSION}")):
        yield path.relative_to(folder).with_suffix("").as_posix()
