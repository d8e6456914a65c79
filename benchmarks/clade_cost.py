"""What SPADE's and CLADE's layers take of a picture's time on a processor: the CLADE paper's Tables II and III.

``python benchmarks/clade_cost.py`` runs both generators at full size with random weights, on which their time does not
depend, as they are written and as a Translator prepares them, after showing that both ways make the same picture. All
of one data set's generators take turns on one thread. Writes ``results/clade_cost.json`` and, made from it, the tables
of ``results/clade_cost.md``. What their pictures are worth: ``clade_quality.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import nn

from pixelwise import machine
from pixelwise.allocator import keep_freed_memory
from pixelwise.bench.families import condition_for
from pixelwise.bench.laps import Lap, time_laps
from pixelwise.bench.measurement import write
from pixelwise.bench.table import Row, size_text, time_text
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.modulation import ClassModulation, SpatialModulation
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.metrics.complexity import CPU, num_parameters, summarise
from pixelwise.models import family_named
from preparation import both_sides

RESULTS = Path(__file__).parent / "results"
FAMILIES = {"spade": "SPADE", "clade": "CLADE"}
SIDES = ("plain", "prepared")
PARTS = ("whole", "backbone", "normalisation")
"""Of a generator."""

PAPER_SECONDS = {"ade20k": (4.104, 1.710), "coco_stuff": (4.226, 1.875), "cityscapes": (7.031, 2.936)}
"""Table II: of SPADE and of CLADE, by published configuration. For ADE20k-outdoor it is ADE20k's."""

Key = tuple[str, str]
"""A family and a side of it."""


def main(
    datasets: Annotated[str, typer.Option(help="Whose configurations, with commas.")] = ",".join(PAPER_SECONDS),
    rounds: Annotated[int, typer.Option(min=1, help="In which all of one data set take turns.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use; the paper's one.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the tables.")] = RESULTS,
) -> None:
    """Measures SPADE and CLADE and writes clade_cost.json and clade_cost.md."""
    torch.set_num_threads(threads)
    try:
        rows = [row for dataset in read_datasets(datasets) for row in measure(dataset, rounds)]
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    results = {**machine.circumstances(), "rounds": rounds, "rows": rows}
    write(results, out / "clade_cost.json", markdown)
    typer.echo(markdown(results))


def read_datasets(text: str) -> list[str]:
    """Names of ``PAPER_SECONDS``, with commas between them. Raises InputError for others, and for one named twice."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in PAPER_SECONDS:
            raise InputError(f"the paper has no times for {name!r}, but for {', '.join(PAPER_SECONDS)}")
        if names.count(name) > 1:
            raise InputError(f"--datasets {text}: names {name} more than once")
    return names


@torch.inference_mode()
def measure(dataset: str, rounds: int) -> list[Row]:
    """A row for each family, both sides of all measured in turns.

    Raises:
        InputError: sides that make different pictures.
    """
    keep_freed_memory()
    rows, runs = [], {}
    for family in FAMILIES:
        typer.echo(f"{family}, {dataset}", err=True)
        published = family_named(family).published[dataset]
        condition = condition_for(published.config, published.size)
        sides, error = both_sides(family, dataset, published.config, condition)
        runs |= {(family, side): (generator, condition) for side, generator in sides.items()}
        told = {"family": family, "dataset": dataset, "size": published.size, "error": error}
        rows.append({**told, "parameters": parameters(sides["plain"])})
    seconds = seconds_in_turns(runs, rounds)
    return [{**row, "seconds": {side: seconds[row["family"], side] for side in SIDES}} for row in rows]


def normalisations(generator: nn.Module) -> list[nn.Module]:
    """The layers that normalise features and modulate them by the label map. All others are the paper's backbone."""
    return [part for part in generator.modules() if isinstance(part, SpatialModulation | ClassModulation)]


def parameters(generator: nn.Module) -> dict[str, int]:
    """Learned numbers of each of ``PARTS``."""
    whole, layers = num_parameters(generator), sum(map(num_parameters, normalisations(generator)))
    return dict(zip(PARTS, (whole, whole - layers, layers), strict=True))


def seconds_in_turns(runs: Mapping[Key, tuple[nn.Module, Condition]], rounds: int) -> dict[Key, dict[str, Row]]:
    """Median and quartiles of each of ``PARTS``: all one after the other, as ``in_turns``; a round before warms up."""
    found: dict[Key, list[tuple[float, ...]]] = {key: [] for key in runs}
    for _ in range(1 + rounds):
        for key, (generator, condition) in runs.items():
            found[key].append(seconds_by_part(generator, condition))
    by_part = {key: dict(zip(PARTS, zip(*times[1:], strict=True), strict=True)) for key, times in found.items()}
    return {key: {part: asdict(summarise(times)) for part, times in parts.items()} for key, parts in by_part.items()}


def seconds_by_part(generator: nn.Module, condition: Condition) -> tuple[float, ...]:
    """Of each of ``PARTS``, in one and the same run on the CPU."""

    def run(lap: Lap) -> None:
        with ExitStack() as hooks:
            for layer in normalisations(generator):
                hooks.enter_context(layer.register_forward_pre_hook(lambda *_: lap()))
                hooks.enter_context(layer.register_forward_hook(lambda *_: lap()))
            generator(condition)

    # None of these layers is within another, so every second stage is one of them.
    stages = time_laps(run, CPU)
    return sum(stages), sum(stages[::2]), sum(stages[1::2])


def markdown(results: Row) -> str:
    """The tables of what was measured, or of the JSON that it was saved as."""
    text = (
        "One picture at a time at the papers' sizes, height × width, at full published size with random weights; "
        f"milliseconds as the median (interquartile range) of {results['rounds']} rounds in which all generators of "
        "one data set take turns. “Plain” is the generator as it is written, with one-hot planes and a spectral norm "
        "at every call; “prepared” is what a Translator runs. Both were first shown to make the same picture within "
        f"{max(row['error'] for row in results['rows']):.1e}. The process keeps freed memory."
    )
    parts = [
        "# What SPADE's and CLADE's layers cost on a CPU",
        circumstances_text(results),
        text,
        "## Table II: SPADE and CLADE",
        "The paper's times are of one thread of a Xeon Gold 6148.",
        whole_table(results["rows"]),
        "## Table III: backbone and normalisation layers",
        "Normalisation layers are those that normalise features and modulate them by the label map, timed within the "
        "runs of Table II; the backbone is all the rest. In the paper they have 28.4, 29.1 and 25.9 million "
        "parameters in SPADE (ADE20k, COCO-Stuff, Cityscapes) and 3.3, 4.1 and 0.8 in CLADE, the backbone 68.1, 68.4 "
        "and 67.1; on a GPU they take 27, 29 and 43 ms in SPADE and 9, 10 and 13 in CLADE, the backbone 15, 17 and 22.",
        parts_table(results["rows"]),
    ]
    return "\n\n".join(parts) + "\n"


def whole_table(rows: Sequence[Row]) -> str:
    """A line for each data set and side."""
    lines = []
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        spade, clade = (row for row in rows if row["dataset"] == dataset)
        papers = PAPER_SECONDS[dataset]
        for side in SIDES:
            times = [row["seconds"][side]["whole"] for row in (spade, clade)]
            ratio = times[0]["median"] / times[1]["median"]
            cells = [f"{dataset}, {side}", size_text(spade["size"]), *map(time_text, times), f"{ratio:.2f}"]
            lines.append([*cells, *(f"{1000 * seconds:.0f}" for seconds in papers), f"{papers[0] / papers[1]:.2f}"])
    heads = ["SPADE, ms", "CLADE, ms", "times faster"]
    return table(["", "size", *heads, *(f"paper's {head}" for head in heads)], lines)


def parts_table(rows: Sequence[Row]) -> str:
    """A line for each generator and side."""
    lines = [
        [
            f"{row['dataset']}, {FAMILIES[row['family']]}, {side}",
            *(f"{row['parameters'][part] / 1e6:.1f}" for part in PARTS[1:]),
            *(time_text(row["seconds"][side][part]) for part in PARTS[1:]),
            f"{100 * row['seconds'][side]['normalisation']['median'] / row['seconds'][side]['whole']['median']:.0f} %",
        ]
        for row in rows
        for side in SIDES
    ]
    heads = [f"{part}, {unit}" for unit in ("M", "ms") for part in PARTS[1:]]
    return table(["", *heads, "normalisation's share of the time"], lines)


if __name__ == "__main__":
    typer.run(main)
