"""ASAP-Net's engine beside its rivals as they are written: eager, nothing folded or prepared, all in turns in one run.

``python benchmarks/rivals.py`` first shows that the engine computes what the plain network does. It writes
``results/rivals.json`` and, made from it, the table of ``results/rivals.md``. ``families.py`` measures each at its
fastest instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer

from pixelwise import machine
from pixelwise.bench.contest import Unequal, enter, prove_equal
from pixelwise.bench.families import condition_for, published_subjects
from pixelwise.bench.laps import in_turns
from pixelwise.bench.measurement import write
from pixelwise.bench.plan import read_sizes
from pixelwise.bench.subject import FULL_SIZE, Size, build
from pixelwise.bench.table import Row, size_text, time_text
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.metrics.complexity import CPU
from pixelwise.models import family_of
from pixelwise.models.family import GeneratorConfig

RESULTS = Path(__file__).parent / "results"
RIVALS = "spade,pix2pixhd,ccfpse,pix2pix"

TURN = 1.0
"""Seconds; see ``in_turns``."""


def main(
    rivals: Annotated[str, typer.Option(help="Families, with commas between them.")] = RIVALS,
    engine: Annotated[str, typer.Option(help="ASAP-Net's.")] = "native",
    sizes: Annotated[str, typer.Option(help="HEIGHTxWIDTH, several with commas between them.")] = "512x512",
    rounds: Annotated[int, typer.Option(min=1, help="In which all take turns.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the table.")] = RESULTS,
) -> None:
    """Measures ASAP-Net and its rivals and writes rivals.json and rivals.md."""
    torch.set_num_threads(threads)
    try:
        rows = [row for size in read_sizes(sizes) for row in measure(rivals, engine, size, rounds)]
    except (InputError, Unequal) as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    results = {
        **machine.circumstances(),
        "rounds": rounds,
        "turn_seconds": TURN,
        "rows": rows,
    }
    write(results, out / "rivals.json", markdown)
    typer.echo(markdown(results))


def measure(rivals: str, engine: str, size: Size, rounds: int) -> list[Row]:
    """ASAP-Net first, then the others, at one size. Raises Unequal and InputError as ``bench.contest``."""
    network = build(FULL_SIZE, size)
    condition = condition_for(network.config, size)
    plain, *ours = [side for name in ("plain", engine) for side in enter(network, condition, name)]
    prove_equal([plain, *ours], CPU)
    runs: dict[str, Callable[[], object]] = {f"asapnet, {engine}": ours[0].run}
    runs |= {subject.name: as_written(subject.configure(size), size) for subject in published_subjects(rivals)}
    seconds = in_turns(runs, rounds, turn=TURN)
    unit = next(iter(seconds.values())).median
    return [
        {"model": name, "size": size, "seconds": asdict(runtime), "times_as_long": runtime.median / unit}
        for name, runtime in seconds.items()
    ]


def as_written(config: GeneratorConfig, size: Size) -> Callable[[], object]:
    """One picture by the generator itself, with random weights, on which its time does not depend."""
    generator = family_of(config).generator(config).eval()
    return partial(_translate, generator, condition_for(config, size))


@torch.inference_mode()
def _translate(generator: torch.nn.Module, condition: Condition) -> None:
    generator(condition)


def markdown(results: Row) -> str:
    """The table of what was measured, or of the JSON that it was saved as."""
    text = (
        "One picture at a time, height × width, at full published size with random weights; milliseconds as the median "
        f"(interquartile range) of {results['rounds']} rounds in which all take turns, of {results['turn_seconds']:g} "
        "second each or two pictures, of which the first is not measured. The rivals run as they are written; "
        "ASAP-Net's engine was first shown equal to its plain network within 1e-4."
    )
    heads = ["model", "size", "ms", "times as long as ASAP-Net"]
    cells = [
        [row["model"], size_text(row["size"]), time_text(row["seconds"]), f"{row['times_as_long']:.3g}"]
        for row in results["rows"]
    ]
    return "\n\n".join(["# ASAP-Net beside its rivals", circumstances_text(results), text, table(heads, cells)]) + "\n"


if __name__ == "__main__":
    typer.run(main)
