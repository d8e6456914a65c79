"""How fast pictures are made: every engine beside the plain path, at five sizes, on this machine.

``python benchmarks/render.py`` first shows that whole pictures are equal, and refuses to go on if they are not; then it
measures the paper's full-size network and the models that ship, and writes ``results/render.json`` and, made from it,
the tables of ``results/render.md``. ``--keep-memory`` measures the same in a process that keeps freed memory,
``--growth`` how time grows with the picture. ``render_plots.py`` draws the pictures for README. What does the measuring
is in the package, for `pixelwise bench`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from pixelwise.bench import (
    FULL_SIZE,
    Unequal,
    growth_markdown,
    markdown,
    measure,
    measure_growth,
    plan_on,
    write,
)
from pixelwise.bench.growth import SIDES
from pixelwise.bench.subject import RANDOM, bundled_of_labels
from pixelwise.device import find_device
from pixelwise.errors import InputError

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = ROOT / "out" / "benchmarks"

MODELS = (FULL_SIZE, *bundled_of_labels())
QUICK_SIDES = (64, 128)


def main(
    models: Annotated[
        str,
        typer.Option(
            help=f"Names or files, with commas between them. Of random weights there are {', '.join(RANDOM)}."
        ),
    ] = ",".join(MODELS),
    engines: Annotated[str, typer.Option(help="Names, with commas between them; without it all that can run.")] = "",
    sizes: Annotated[str, typer.Option(help="HEIGHTxWIDTH, several with commas between them.")] = "",
    repeats: Annotated[int, typer.Option(min=0, help="Rounds that are measured; 0: as suits the device.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads on the CPU.")] = 2,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    memory: Annotated[bool, typer.Option(help="Measure memory too, each row in a process of its own.")] = True,
    growth: Annotated[
        bool, typer.Option(help="Only how time grows from 1 to 64 megapixels; writes render_growth.*.")
    ] = False,
    keep_memory: Annotated[
        bool, typer.Option("--keep-memory", help="Freed memory stays with the process; writes render_kept.*.")
    ] = False,
    quick: Annotated[bool, typer.Option(help="Tiny pictures, once: does it work? Writes to out/benchmarks.")] = False,
    out: Annotated[Path | None, typer.Option(help="The JSON file; the tables go beside it.")] = None,
) -> None:
    """Measures every engine beside the plain path and writes render.json and render.md; of a GPU, render_gpu.*."""
    torch.set_num_threads(threads)
    where = find_device(device)
    plan = plan_on(where, quick)
    name = "render" + ("" if where.type == "cpu" else "_gpu")
    name += "_growth" if growth else "_kept" if keep_memory else ""
    path = out or (QUICK_RESULTS if quick else RESULTS) / f"{name}.json"
    to_markdown = growth_markdown if growth else markdown
    try:
        plan = plan.changed(models.split(","), sizes, engines, repeats, memory)
        plan = replace(plan, freed_memory_kept=keep_memory)
        sides = QUICK_SIDES if quick else SIDES
        results = measure_growth(plan, sides, announce) if growth else measure(plan, announce)
    except (Unequal, InputError) as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    write(results, path, to_markdown)
    typer.echo(to_markdown(results))
    announce(f"written to {path}")


def announce(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    typer.run(main)
