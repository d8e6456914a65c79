"""The tables of a report, for Markdown and page alike: what stands in them, and what is best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pixelwise.evaluation.report.figures import (
    ERROR,
    GROUPS,
    NONE,
    OTHERS,
    SHARE,
    FigureSpec,
    figure_spec,
    group_of,
    in_order,
)
from pixelwise.evaluation.report.results import ModelResults, Results, Timing
from pixelwise.machine import threads_text

REPEATING = {"mean_iou_of_occurring": "mean_iou"}
"""Figures that are left out where they say of every model what another says: here, where all classes occur."""

STREAM = "low resolution, ms"
TRAINING = "training, MB"
NOTES = {
    STREAM: "Low resolution: the stream that predicts the pixels' networks, timed by itself; the rest is the pixels'.",
    TRAINING: "Training: the memory of a first step of the generator alone: one picture forward, backward from a mean "
    "of squares, Adam's update; other losses and a discriminator come on top.",
}
"""What must be said of a column that not all tables have."""

BEST = "The best of the models in bold."
REAL = "Real photos went through the same measures: where they are not perfect, it is the measure that errs."
NO_REAL = (
    "No real photos were judged beside the models: how much of these segmentation scores is the segmenter's own error "
    "cannot be told."
)


@dataclass(frozen=True)
class Cell:
    """One place of a table.

    Attributes:
        text: what stands there.
        value: what it is sorted by; None for what is last in any order.
        best: whether it is the best of those that it competes with.
    """

    text: str
    value: float | None = None
    best: bool = False


@dataclass(frozen=True)
class Row:
    """A line: a model or a class, with a cell for each head but the first. Real photos do not compete."""

    name: str
    cells: tuple[Cell, ...]
    real: bool = False


@dataclass(frozen=True)
class Table:
    """Heads, the first over the names of the rows; and what must be said to read it."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def quality_tables(results: Results) -> dict[str, Table]:
    """Tables by their groups of figures: a model a line, a figure a column; real photos last."""
    found: dict[str, list[str]] = {}
    for name in scalar_names(results):
        found.setdefault(group_of(name), []).append(name)
    return {group: _quality_table(results, found[group]) for group in (*GROUPS, OTHERS) if group in found}


def cost_table(results: Results) -> Table | None:
    """A model a line: what it has to learn, to do, and to wait for. None where nothing is known."""
    models = results.made
    conditions = timing_conditions(results)
    alike = len(conditions) == 1
    columns = {
        "parameters, M": _cost_column([_scaled(model.parameters, 1e6) for model in models]),
        "multiply-adds, G": _macs_column(models),
        "ms": _time_column(models, alike),
        STREAM: _stream_column(models),
        "most memory, MB": _cost_column([_scaled(model.peak_memory, 1e6) for model in models]),
        TRAINING: _cost_column([_scaled(model.training_memory, 1e6) for model in models]),
    }
    if len(conditions) > 1:
        columns["measured with"] = [Cell(NONE if m.runtime is None else timing_text(m.runtime)) for m in models]
    columns = {head: cells for head, cells in columns.items() if any(cell.text != NONE for cell in cells)}
    if not columns:
        return None
    rows = _rows(models, list(columns.values()))
    notes = (*_best_note(rows), *_cost_notes(conditions), *(NOTES[head] for head in NOTES if head in columns))
    return Table(("model", *columns), rows, notes)


def class_table(results: Results, figure: str) -> Table:
    """A class a line, the largest first, and its share of the area; a model a column, real photos last."""
    spec, models = figure_spec(figure), [model for model in real_last(results) if model.by_class(figure)]
    shares = class_shares(results)
    rows = []
    for name in class_names(results, figure):
        share = [] if not shares else [_cell(figure_spec(SHARE), shares.get(name))]
        values = [(model.by_class(figure) or {}).get(name) for model in models]
        cells = [_cell(spec, value) for value in values]
        marked = _marked(cells, [not model.real for model in models], spec.more_is_better)
        rows.append(Row(name, (*share, *marked)))
    heads = ["class", *([] if not shares else [figure_spec(SHARE).head]), *(model.model for model in models)]
    notes = (f"{spec.head}.", *_best_note(rows), *_real_note(results, [figure]))
    return Table(tuple(heads), tuple(rows), notes)


def scalar_names(results: Results) -> list[str]:
    """Figures of all pictures together that some model has, without standard errors of others and repetitions."""
    found = in_order(name for model in results.models for name in model.figures if model.scalar(name) is not None)
    beside = [name for name in found if name.endswith(ERROR) and name.removesuffix(ERROR) in found]
    beside += [
        name for name, other in REPEATING.items() if all(m.scalar(name) == m.scalar(other) for m in results.models)
    ]
    return [name for name in found if name not in beside]


def class_figures(results: Results) -> list[str]:
    """Figures that go class by class, but for the classes' shares."""
    found = in_order(name for model in results.models for name in model.figures if model.by_class(name))
    return [name for name in found if name != SHARE]


def class_shares(results: Results) -> dict[str, float]:
    """Each class's part of the area, the largest first; it is the pictures' and not a model's."""
    shares = next((share for model in real_last(results)[::-1] if (share := model.by_class(SHARE))), {})
    known = {name: share for name, share in shares.items() if share is not None}
    return dict(sorted(known.items(), key=lambda item: -item[1]))


def class_names(results: Results, figure: str) -> list[str]:
    """Classes that have the figure, by their share; those without one last, as they come."""
    found = dict.fromkeys(name for model in results.models for name in model.by_class(figure) or {})
    return [name for name in dict.fromkeys((*class_shares(results), *found)) if name in found]


def real_last(results: Results) -> list[ModelResults]:
    return sorted(results.models, key=lambda model: model.real)


def timing_conditions(results: Results) -> list[str]:
    """Under what the models were timed: one text if their times may be compared."""
    return list(dict.fromkeys(timing_text(model.runtime) for model in results.made if model.runtime is not None))


def timing_text(timing: Timing) -> str:
    height, width = timing.size
    threads = threads_text(timing.threads)
    return f"{height}×{width}, batch {timing.batch}, {threads}, {timing.device}, {timing.dtype}, {timing.repeats} calls"


def milliseconds(timing: Timing) -> str:
    """Median and, in brackets, between which the middle half of all calls lies."""
    quartiles = (timing.lower_quartile, timing.median, timing.upper_quartile)
    lower, median, upper = (_digits(1000 * seconds) for seconds in quartiles)
    return f"{median} [{lower}–{upper}]"


def _quality_table(results: Results, names: Sequence[str]) -> Table:
    """Of those models that have one of the figures at least."""
    models = [model for model in real_last(results) if any(model.scalar(name) is not None for name in names)]
    rows = _rows(models, [_quality_column(name, models) for name in names])
    heads = ("model", *(figure_spec(name).head for name in names))
    return Table(heads, rows, (*_best_note(rows), *_real_note(results, names)))


def _quality_column(name: str, models: Sequence[ModelResults]) -> list[Cell]:
    spec = figure_spec(name)
    cells = _marked(
        [_cell(spec, model.scalar(name)) for model in models], [not model.real for model in models], spec.more_is_better
    )
    errors = [model.scalar(name + ERROR) for model in models]
    return [
        cell if error is None else replace(cell, text=f"{cell.text} ± {spec.text(error)}")
        for cell, error in zip(cells, errors, strict=True)
    ]


def _marked(cells: Sequence[Cell], competing: Sequence[bool], more_is_better: bool | None) -> list[Cell]:
    """The same with the best of those that compete marked. What is printed alike is equally good; alone, none is."""
    rivals = [
        (cell.value, cell.text)
        for cell, competes in zip(cells, competing, strict=True)
        if competes and cell.value is not None
    ]
    if more_is_better is None or len(rivals) < 2:
        return list(cells)
    best = max(rivals)[1] if more_is_better else min(rivals)[1]
    return [replace(cell, best=competes and cell.text == best) for cell, competes in zip(cells, competing, strict=True)]


def _cell(spec: FigureSpec, value: float | None) -> Cell:
    return Cell(spec.text(value), spec.shown(value))


def _cost_column(
    values: Sequence[float | None], texts: Sequence[str] | None = None, competing: bool = True
) -> list[Cell]:
    """Cells of what is the better the less there is of it."""
    shown = [_digits(value) for value in values] if texts is None else texts
    cells = [Cell(NONE if value is None else text, value) for value, text in zip(values, shown, strict=True)]
    return _marked(cells, [competing] * len(cells), more_is_better=False)


def _digits(value: float | None) -> str:
    """Three of them, whatever the magnitude."""
    return NONE if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _macs_column(models: Sequence[ModelResults]) -> list[Cell]:
    totals = [None if model.macs is None else model.macs.total / 1e9 for model in models]
    parts = [None if model.macs is None else model.macs.pixelwise for model in models]
    texts = [
        _digits(total) if part is None else f"{_digits(total)} ({_digits(part / 1e9)} for pixels)"
        for total, part in zip(totals, parts, strict=True)
    ]
    return _cost_column(totals, texts)


def _time_column(models: Sequence[ModelResults], alike: bool) -> list[Cell]:
    timings = [model.runtime for model in models]
    medians = [None if timing is None else 1000 * timing.median for timing in timings]
    return _cost_column(medians, [NONE if timing is None else milliseconds(timing) for timing in timings], alike)


def _stream_column(models: Sequence[ModelResults]) -> list[Cell]:
    """A part of a time, of which less is no better."""
    seconds = [None if model.runtime is None else model.runtime.low_resolution for model in models]
    return _cost_column([_scaled(value, 1e-3) for value in seconds], competing=False)


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def _rows(models: Sequence[ModelResults], columns: Sequence[Sequence[Cell]]) -> tuple[Row, ...]:
    return tuple(
        Row(model.model, cells, model.real)
        for model, cells in zip(models, zip(*columns, strict=True), strict=True)  # one tuple of cells for each model
    )


def _best_note(rows: Sequence[Row]) -> Iterator[str]:
    if any(cell.best for row in rows for cell in row.cells):
        yield BEST


def _real_note(results: Results, names: Sequence[str]) -> Iterator[str]:
    judged = {name for name in names if figure_spec(name).beside_photos}
    of_photos = {name for model in results.models if model.real for name in model.figures}
    if judged:
        yield REAL if judged & of_photos else NO_REAL


def _cost_notes(conditions: Sequence[str]) -> Iterator[str]:
    if conditions:
        yield "Time: milliseconds of one call, median [quartiles]."
    if len(conditions) == 1:
        yield f"Measured with {conditions[0]}."
    elif conditions:
        yield "Measured under different conditions, so times are not compared."
