"""Pictures for README, from what render.py wrote: ``python benchmarks/render_plots.py RESULTS.json --out docs``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import matplotlib as mpl
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from pixelwise.atomic import write_atomically
from pixelwise.bench.contest import PLAIN
from pixelwise.bench.subject import FULL_SIZE
from pixelwise.bench.table import Row, side_text, size_text

COLOURS = ("#6b7280", "#0f766e", "#c2410c", "#4338ca", "#a16207", "#be185d")
"""The first is the plain path's."""

_ON_BARS = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}


def main(
    results: Annotated[Path, typer.Argument(help="What render.py wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for render_time.png and render_peak.png.")] = Path("docs"),
    model: Annotated[str, typer.Option(help="Of which model.")] = FULL_SIZE,
) -> None:
    """Draws time against pixels, and what was achieved of the machine's peak."""
    content = json.loads(results.read_text(encoding="utf-8"))
    rows = [row for row in content["rows"] if row["model"] == model]
    if not rows:
        raise typer.BadParameter(f"{results} has no rows of {model!r}")
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    save(draw_time(rows, content), out / "render_time.png")
    save(draw_peak(rows, content), out / "render_peak.png")


def draw_time(rows: Sequence[Row], content: Row) -> Figure:
    """Milliseconds against pixels, both axes logarithmic: a line for each engine, the middle half of calls shaded."""
    figure, axes = _canvas(rows, content)
    for (name, line), colour in zip(_by_side(rows).items(), _colours(rows), strict=True):
        ordered = sorted(line, key=_megapixels)
        places = [_megapixels(row) for row in ordered]
        median, lower, upper = (
            [1000 * row["seconds"][part] for row in ordered] for part in ("median", "lower_quartile", "upper_quartile")
        )
        axes.plot(places, median, marker="o", markersize=4, color=colour, label=name)
        axes.fill_between(places, lower, upper, color=colour, alpha=0.2, linewidth=0)
    sizes = {size_text(row["size"]): _megapixels(row) for row in rows}
    axes.set(xscale="log", yscale="log", xlabel="pixels, height × width", ylabel="ms per picture")
    axes.set_xticks([*sizes.values()], [*sizes])
    axes.xaxis.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.minorticks_off()
    axes.grid(which="both", alpha=0.2)
    axes.legend(frameon=False)
    return figure


def draw_peak(rows: Sequence[Row], content: Row) -> Figure:
    """GFLOP/s of the definition's arithmetic, a group of bars for each size, under the peaks that were measured."""
    figure, axes = _canvas(rows, content)
    sizes = list(dict.fromkeys(size_text(row["size"]) for row in rows))
    sides = _by_side(rows)
    width = 0.8 / len(sides)
    for index, ((name, line), colour) in enumerate(zip(sides.items(), _colours(rows), strict=True)):
        places = [sizes.index(size_text(row["size"])) + (index - (len(sides) - 1) / 2) * width for row in line]
        bars = axes.bar(places, [row["gflops"]["whole"] for row in line], width, color=colour, label=name)
        axes.bar_label(bars, [f"{100 * row['fraction_of_peak']['whole']:.0f} %" for row in line], fontsize=6)
    for precision in dict.fromkeys(row["precision"] for row in rows):
        peak = content["peaks"]["best"][precision]
        axes.axhline(peak, color="black", linewidth=0.8, linestyle="--")
        axes.text(
            len(sizes) - 0.5, peak, f"measured peak, {precision}", ha="right", va="bottom", fontsize=7, bbox=_ON_BARS
        )
    axes.set_xticks(range(len(sizes)), sizes)
    axes.set(ylabel="GFLOP/s of the definition's arithmetic")
    axes.legend(frameon=False)
    return figure


def save(figure: Figure, path: Path) -> None:
    write_atomically(path, partial(figure.savefig, dpi=100))


def _canvas(rows: Sequence[Row], content: Row) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    where = content["machine"]["cpu"] if content["device"] == "cpu" else ", ".join(content["machine"]["gpus"])
    axes.set_title(f"{rows[0]['model']}, {where}, {content['threads']} threads, {content['date'][:10]}", fontsize=8)
    return figure, axes


def _by_side(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by engine, the plain path first."""
    sides: dict[str, list[Row]] = {PLAIN: []}
    for row in rows:
        sides.setdefault(side_text(row), []).append(row)
    return sides


def _colours(rows: Sequence[Row]) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(len(_by_side(rows)))]


def _megapixels(row: Row) -> float:
    return float(row["size"][0] * row["size"][1] / 1e6)


if __name__ == "__main__":
    typer.run(main)
