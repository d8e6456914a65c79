"""How ASAP-Net's time falls to its two streams as pictures grow: the paper's Fig. 4, on this machine.

``python benchmarks/streams.py`` measures the paper's network, which has 16 x 16 cells at any size, by every engine that
can run, after showing at the smallest size that each makes the plain network's picture. It writes
``results/streams.json`` and, made from it, the table of ``results/streams.md`` and the plot.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import torch
import typer
from matplotlib.figure import Figure

from pixelwise.atomic import write_atomically
from pixelwise.bench.contest import Unequal
from pixelwise.bench.growth import SIXTEEN_CELLS, measure_series
from pixelwise.bench.measurement import circumstances_of, write
from pixelwise.bench.plan import plan_on
from pixelwise.bench.table import side_text, size_text
from pixelwise.device import find_device
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PARTS = {"stream_seconds": ("low-resolution stream", "#6b7280"), "pixelwise_seconds": ("pixels", "#0f766e")}
"""Of a picture's time: what it is called in a row, in the plot, and its colour."""

Row = dict[str, Any]


def main(
    sides: Annotated[str, typer.Option(help="Of square pictures, rising, with commas.")] = "256,512,1024,2048",
    engines: Annotated[str, typer.Option(help="Names, with commas between them; without it all that can run.")] = "",
    rounds: Annotated[int, typer.Option(min=1, help="In which engines take turns.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads on the CPU.")] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the table.")] = RESULTS,
    plot: Annotated[Path, typer.Option(help="Where the plot goes.")] = ROOT / "docs" / "streams.png",
) -> None:
    """Measures both streams and writes streams.json, streams.md and the plot."""
    torch.set_num_threads(threads)
    plan = plan_on(find_device(device)).changed(engines=engines)
    plan = replace(plan, repeats=rounds, warm_up=1, memory=False)
    try:
        pictures = [(side, side // 16) for side in map(int, sides.split(","))]
        rows = measure_series(plan, SIXTEEN_CELLS, pictures, partial(typer.echo, err=True))
    except (ValueError, Unequal) as error:  # InputError is a ValueError
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    results = {**circumstances_of(plan), "rows": rows}
    write(results, out / "streams.json", markdown)
    write_atomically(plot, partial(draw(results).savefig, dpi=100))
    typer.echo(markdown(results))


def markdown(results: Row) -> str:
    """The table of what was measured, or of the JSON that it was saved as."""
    text = (
        "The paper's network at full size, 16 × 16 cells whatever the picture's size; one picture at a time, "
        "milliseconds, medians. The streams are timed one after the other, the parameters of all cells between them."
    )
    heads = ["engine", "size", *(f"{name}, ms" for name, _ in PARTS.values()), "pixels' share"]
    cells = [
        [
            side_text(row),
            size_text(row["size"]),
            *(f"{1000 * row[part]:.1f}" for part in PARTS),
            f"{100 * row['pixelwise_seconds'] / sum(row[part] for part in PARTS):.0f} %",
        ]
        for row in results["rows"]
    ]
    return "\n\n".join(["# ASAP-Net's time by stream", circumstances_text(results), text, table(heads, cells)]) + "\n"


def draw(results: Row) -> Figure:
    """A bar for each size, the streams on top of each other; engines side by side."""
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    engines: dict[str, list[Row]] = {}
    for row in results["rows"]:
        engines.setdefault(side_text(row), []).append(row)
    figure = Figure(figsize=(3.2 * len(engines), 3.2), layout="constrained")
    for axes, (engine, rows) in zip(figure.subplots(1, len(engines), squeeze=False)[0], engines.items(), strict=True):
        bottom = [0.0] * len(rows)
        for part, (name, colour) in PARTS.items():
            heights = [1000 * row[part] for row in rows]
            axes.bar(range(len(rows)), heights, 0.7, bottom, color=colour, label=name)
            bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
        axes.set_xticks(range(len(rows)), [size_text(row["size"]) for row in rows], fontsize=7)
        axes.set(ylabel="ms per picture", title=engine)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(PARTS), frameon=False)
    return figure


if __name__ == "__main__":
    typer.run(main)
