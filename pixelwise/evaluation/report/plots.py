"""A report's plots: quality against runtime, and bars by class (Rott Shaham et al., CVPR 2021, Figs. 6 and 11)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator

from pixelwise.evaluation.report.figures import ERROR, FigureSpec, figure_spec
from pixelwise.evaluation.report.results import ModelResults, Results
from pixelwise.evaluation.report.tables import class_names, class_shares, scalar_names, timing_conditions

INK, MUTED, GRID = "#1d2730", "#65727e", "#d3dae0"

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#c0569b", "#b8860b", "#56b4e9", "#7a5230")
"""Of models, in their order: told apart by all eyes, after Okabe and Ito, dark enough for thin lines on white."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""One more than colours: it takes 56 models for two of them to look alike."""

SMALL_SHARE = 0.03
"""Classes below this part of the area are where ASAP-Net falls behind (Sec. 4 and Fig. 11)."""

_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "figure.constrained_layout.hspace": 0.08,
}

_PANEL = (3.3, 2.5)
_COLUMNS = 3
_LETTERS_PER_INCH, _LETTERS_OF_HANDLE = 14, 9
"""How much of a legend's names and handles stand side by side."""

_TITLE_LETTERS = 28
"""What stands beside the word of what is better, over a panel."""

_MARGIN = 1.6
"""Left and right of all times, as a factor."""


def quality_against_runtime(results: Results) -> Figure | None:
    """A panel for each figure that is better in one direction: models by milliseconds, which are logarithmic.

    Bars reach over the middle half of all calls, and over a standard error to both sides. Real photos, which take no
    time, are a dashed line. None where fewer than two models were timed, or under different conditions.
    """
    names = [name for name in scalar_names(results) if figure_spec(name).more_is_better is not None]
    timed = [model for model in results.made if model.runtime is not None]
    names = [name for name in names if sum(_is_finite(name, model) for model in timed) >= 2]
    if not names or len(timing_conditions(results)) != 1:
        return None
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows + 0.5), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).flatten()
        for axes, name in zip(grid, names, strict=False):
            _draw_panel(axes, name, results)
        for axes in grid[len(names) :]:
            axes.remove()
        for axes in grid[max(0, len(names) - columns) : len(names)]:
            axes.set_xlabel("ms per call")
        _explain(figure, [*_points(results), *_lines(results, names)])
    return figure


def bars_by_class(results: Results, name: str) -> Figure:
    """A group of bars for each class, the largest class first, over its share of the area.

    Real photos are a line across the group; classes to the right of the dashed line are smaller than ``SMALL_SHARE``.

    Args:
        results: with a figure class by class.
        name: of that figure.
    """
    spec, classes, shares = figure_spec(name), class_names(results, name), class_shares(results)
    width = min(60.0, max(2 * _PANEL[0], len(classes) * (0.3 + 0.11 * len(results.made))))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, 4.2 if shares else 3.2), layout="constrained")
        if shares:
            above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
            _draw_shares(below, [shares.get(each, float("nan")) for each in classes])
            _mark_small(above, [shares.get(each, 0.0) for each in classes])
        else:
            above = below = figure.subplots()
        _draw_bars(above, results, name, classes)
        _title(above, spec)
        below.set_xticks(
            range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor", parse_math=False
        )
        below.set_xlim(-0.6, len(classes) - 0.4)
        bars = [(model, Patch(color=colour)) for model, colour, _ in _looks(results) if model.by_class(name)]
        real = [(model, _real_line("-")) for model in results.models if model.real and model.by_class(name)]
        _explain(figure, [*bars, *real])
    return figure


def _draw_panel(axes: Axes, name: str, results: Results) -> None:
    spec, times = figure_spec(name), []
    for model, shade, marker in _looks(results):
        timing, value = model.runtime, spec.shown(model.scalar(name))
        if timing is None or value is None or not _is_finite(name, model):
            continue
        lower, median, upper = (1000 * t for t in (timing.lower_quartile, timing.median, timing.upper_quartile))
        error = spec.shown(model.scalar(name + ERROR))
        axes.errorbar(
            [median],
            [value],
            xerr=[[median - lower], [upper - median]],
            yerr=error,
            marker=marker,
            markersize=7,
            color=shade,
            elinewidth=1.2,
        )
        times.append(median)
    for model in results.models:
        if model.real and (value := spec.shown(model.scalar(name))) is not None:
            axes.axhline(value, **_real_look("--"))
    axes.set(xscale="log", xlim=(min(times) / _MARGIN, max(times) * _MARGIN))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.minorticks_off()
    axes.margins(y=0.15)
    axes.grid()
    _title(axes, spec, faster="↖ better" if spec.more_is_better else "↙ better")


def _draw_bars(axes: Axes, results: Results, name: str, classes: Sequence[str]) -> None:
    spec = figure_spec(name)
    shown = [look for look in _looks(results) if look[0].by_class(name)]
    width = 0.8 / max(1, len(shown))
    for index, (model, shade, _) in enumerate(shown):
        places = [place + (index - (len(shown) - 1) / 2) * width for place in range(len(classes))]
        axes.bar(places, _values(model, name, classes), width, color=shade)
    for model in results.models:
        if model.real and model.by_class(name):
            places = list(range(len(classes)))
            left, right = ([place + side * 0.46 for place in places] for side in (-1, 1))
            axes.hlines(_values(model, name, classes), left, right, **_real_look("-"))
    axes.set_ylim(bottom=0)
    if spec.unit == "%":
        axes.set_ylim(0, 100)
    axes.grid(axis="y")
    axes.tick_params(axis="x", length=0)


def _draw_shares(axes: Axes, shares: Sequence[float]) -> None:
    bars = axes.bar(range(len(shares)), [100 * share for share in shares], 0.8, color=GRID)
    axes.bar_label(bars, ["" if share != share else f"{100 * share:.2g}" for share in shares], fontsize=7, color=MUTED)
    axes.set_title("share of the area, %", loc="left", fontsize=8, color=MUTED)
    axes.set_yticks([])
    axes.margins(y=0.3)
    axes.spines.left.set_visible(False)
    axes.tick_params(axis="x", length=0)


def _mark_small(axes: Axes, shares: Sequence[float]) -> None:
    num_large = sum(share >= SMALL_SHARE for share in shares)
    if 0 < num_large < len(shares):
        axes.axvline(num_large - 0.5, color=MUTED, linewidth=0.8, linestyle=":")
        label = f"under {100 * SMALL_SHARE:.0f} % of the area →"
        place = (num_large - 0.45, 0.99)
        axes.text(*place, label, transform=axes.get_xaxis_transform(), va="top", fontsize=7, color=MUTED)


def _values(model: ModelResults, name: str, classes: Sequence[str]) -> list[float]:
    found, spec = model.by_class(name) or {}, figure_spec(name)
    shown = (spec.shown(found.get(each)) for each in classes)
    return [float("nan") if value is None else value for value in shown]


def _title(axes: Axes, spec: FigureSpec, faster: str = "") -> None:
    better = {True: "↑ better", False: "↓ better", None: ""}[spec.more_is_better]
    name = fill(spec.name_and_unit, _TITLE_LETTERS)
    axes.set_title(name, loc="left", fontsize=9, fontweight="bold", parse_math=False)
    axes.set_title(faster or better, loc="right", fontsize=8, color=MUTED)


def _looks(results: Results) -> list[tuple[ModelResults, str, str]]:
    """Models with their colours and markers, which are the same in every plot."""
    made = results.made
    return list(zip(made, *(islice(cycle(looks), len(made)) for looks in (COLOURS, MARKERS)), strict=True))


def _points(results: Results) -> list[tuple[ModelResults, Artist]]:
    return [
        (model, Line2D([], [], color=shade, marker=marker, markersize=7, linestyle="none"))
        for model, shade, marker in _looks(results)
        if model.runtime is not None
    ]


def _lines(results: Results, names: Sequence[str]) -> list[tuple[ModelResults, Artist]]:
    shown = (model for model in results.models if model.real and any(model.scalar(name) is not None for name in names))
    return [(model, _real_line("--")) for model in shown]


def _real_look(style: str) -> dict[str, Any]:
    return {"color": INK, "linewidth": 1.2, "linestyle": style}


def _real_line(style: str) -> Line2D:
    return Line2D([], [], **_real_look(style))


def _explain(figure: Figure, entries: Sequence[tuple[ModelResults, Artist]]) -> None:
    """A legend below. Names come afterwards: one that begins with _ would be left out, and $ would be mathematics."""
    lengths = [len(model.model) + _LETTERS_OF_HANDLE for model, _ in entries]
    letters = figure.get_size_inches()[0] * _LETTERS_PER_INCH
    columns = len(entries) if sum(lengths) <= letters else max(1, int(letters / max(lengths)))
    legend = figure.legend(
        [handle for _, handle in entries],
        [str(number) for number in range(len(entries))],
        loc="outside lower center",
        ncols=columns,
        frameon=False,
    )
    for text, (model, _) in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(model.model)


def _is_finite(name: str, model: ModelResults) -> bool:
    value = model.scalar(name)
    return value is not None and abs(value) < float("inf")
