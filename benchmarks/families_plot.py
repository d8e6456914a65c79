"""Time against resolution for all families (ASAP-Net's Fig. 1), from what families.py and `pixelwise bench` wrote:

python benchmarks/families_plot.py benchmarks/results/families.json benchmarks/results/families_1024.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from pixelwise.atomic import write_atomically
from pixelwise.bench.table import Row

PLOT = Path(__file__).parents[1] / "docs" / "families_time.png"
OURS, OTHERS = "#0f766e", "#9ca3af"
_LEAST_RATIO = 1.26
"""Between the heights of two names, so that both can be read."""


def main(
    results: Annotated[list[Path], typer.Argument(help="JSON files; what a later one says of a size counts.")],
    out: Annotated[Path, typer.Option(help="Where the plot goes.")] = PLOT,
) -> None:
    """Draws a line for each family, over the square sizes that all files have together."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in results]
    write_atomically(out, partial(draw(contents).savefig, dpi=110))


def draw(contents: Sequence[Row]) -> Figure:
    """Milliseconds against the side of square pictures, both axes logarithmic."""
    lines, last = seconds_by_side(contents), contents[-1]
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, line in lines.items():
        colour, width = (OURS, 2) if name.startswith("asapnet") else (OTHERS, 1)
        milliseconds = [1000 * seconds for seconds in line.values()]
        axes.plot([*line], milliseconds, marker="o", markersize=2 + width, linewidth=width, color=colour)
    write_names(axes, lines)
    sides = sorted({side for line in lines.values() for side in line})
    axes.set(xscale="log", yscale="log", xlabel="side of a square picture, pixels", ylabel="ms per picture")
    axes.set_xlim(sides[0] * 0.93, sides[-1] * 1.65)
    axes.set_xticks(sides, [str(side) for side in sides])
    axes.xaxis.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="major", alpha=0.2)
    axes.set_title(f"{last['machine']['cpu']}, {last['threads']} threads, float32, {last['date'][:10]}", fontsize=8)
    return figure


def write_names(axes: Axes, lines: Mapping[str, Mapping[int, float]]) -> None:
    """Beside the ends of the lines, with the time there."""
    largest = max(side for line in lines.values() for side in line)
    ends = {name: line[largest] for name, line in lines.items() if largest in line}
    for name, height in apart(ends).items():
        text = f"{name.partition(',')[0]} {ends[name]:.3g} s"
        colour = OURS if name.startswith("asapnet") else "black"
        axes.annotate(text, (largest * 1.04, 1000 * height), color=colour, fontsize=7, va="center")


def seconds_by_side(contents: Sequence[Row]) -> dict[str, dict[int, float]]:
    """Of the models that every file has: the median by side."""
    models = set.intersection(*({row["model"] for row in content["rows"]} for content in contents))
    lines: dict[str, dict[int, float]] = {}
    for content in contents:
        for row in content["rows"]:
            if row["model"] in models and row["size"][0] == row["size"][1]:
                lines.setdefault(row["model"], {})[row["size"][0]] = row["seconds"]["median"]
    return {name: dict(sorted(line.items())) for name, line in lines.items()}


def apart(heights: Mapping[str, float]) -> dict[str, float]:
    """Heights on a logarithmic axis, lifted where they would be too close to the one below."""
    placed: dict[str, float] = {}
    least = 0.0
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        placed[name] = max(height, least)
        least = placed[name] * _LEAST_RATIO
    return placed


if __name__ == "__main__":
    typer.run(main)
