"""What it brings to prepare the rivals for inference: each as it is written beside what a Translator runs, in turns.

Prepared, spectral and batch norms are merged into convolutions, one-hot labels are gathered instead of multiplied, and
weights lie channels last (``layers.folded``). ``python benchmarks/preparation.py`` first shows that both make the same
picture. It writes ``results/preparation.json`` and, made from it, the tables of ``results/preparation.md``: also what
CLADE takes beside SPADE, and which part of CLADE-ICPE's time its offsets are.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from pixelwise import machine
from pixelwise.allocator import keep_freed_memory
from pixelwise.bench.families import condition_for
from pixelwise.bench.laps import in_turns
from pixelwise.bench.measurement import write
from pixelwise.bench.plan import read_sizes
from pixelwise.bench.subject import Size
from pixelwise.bench.table import Row, size_text, time_text
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.folded import folded
from pixelwise.layers.position import centre_offsets
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.models import family_named

RESULTS = Path(__file__).parent / "results"
TOLERANCE = 1e-4
SUBJECTS = (
    ("spade", "cityscapes"),
    ("clade", "cityscapes"),
    ("clade", "cityscapes_icpe"),
    ("pix2pixhd", "cityscapes"),
    ("ccfpse", "cityscapes"),
)
"""Families and their published configurations."""
WITH_OFFSETS = "clade, cityscapes_icpe"

Run = Callable[[], Tensor]


def main(
    sizes: Annotated[str, typer.Option(help="HEIGHTxWIDTH, several with commas between them.")] = "256x256,512x512",
    rounds: Annotated[int, typer.Option(min=1, help="In which all take turns.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the tables.")] = RESULTS,
) -> None:
    """Measures the rivals plain and prepared and writes preparation.json and preparation.md."""
    torch.set_num_threads(threads)
    try:
        rows = [row for size in read_sizes(sizes) for row in measure(size, rounds)]
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    results = {**machine.circumstances(), "rounds": rounds, "rows": rows}
    write(results, out / "preparation.json", markdown)
    typer.echo(markdown(results))


@torch.inference_mode()
def measure(size: Size, rounds: int) -> list[Row]:
    """A row for each subject at one size, all measured in turns. Raises InputError unless both sides are equal."""
    keep_freed_memory()
    runs: dict[tuple[str, str], Run] = {}
    errors = {}
    for family, name in SUBJECTS:
        typer.echo(f"{family}, {name}, {size[0]}x{size[1]}", err=True)
        model = f"{family}, {name}"
        sides, errors[model] = entered(family, name, size)
        runs |= {(model, side): run for side, run in sides.items()}
    seconds = in_turns(runs, rounds)
    return [
        {
            "model": model,
            "size": size,
            "error": error,
            "seconds": {side: asdict(runtime) for (of, side), runtime in seconds.items() if of == model},
        }
        for model, error in errors.items()
    ]


def entered(family: str, name: str, size: Size) -> tuple[dict[str, Run], float]:
    """What of one model takes turns, by name, and how far its two sides are apart. Raises InputError if too far."""
    config = family_named(family).published[name].config
    condition = condition_for(config, size)
    sides, error = both_sides(family, name, config, condition)
    runs: dict[str, Run] = {side: partial(_picture, generator, condition) for side, generator in sides.items()}
    if f"{family}, {name}" == WITH_OFFSETS and condition.labels is not None:
        runs["offsets"] = partial(centre_offsets, condition.labels, config.without_offsets)
    return runs, error


def both_sides(family: str, name: str, config: Any, condition: Condition) -> tuple[dict[str, nn.Module], float]:
    """A generator of random weights, plain and prepared, and how far their pictures are apart.

    Raises InputError if too far.
    """
    plain = random_generator(family, config)
    # Preparing changes how shared weights lie in memory.
    sides: dict[str, nn.Module] = {"plain": plain, "prepared": folded(deepcopy(plain))}
    pictures = {side: _picture(generator, condition) for side, generator in sides.items()}
    if not (error := float((pictures["prepared"] - pictures["plain"]).abs().max())) <= TOLERANCE:
        raise InputError(f"{family}, {name}: prepared it is {error:.3g} off, at most {TOLERANCE:g} is allowed")
    return sides, error


def random_generator(family: str, config: Any) -> nn.Module:
    """In eval mode; norms that have seen something, so that it shows what is merged."""
    torch.manual_seed(0)
    generator = family_named(family).generator(config).eval()
    for part in generator.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None and part.running_var is not None:
            part.running_mean.uniform_(-0.5, 0.5)
            part.running_var.uniform_(0.5, 1.5)
    return generator


def _picture(generator: nn.Module, condition: Condition) -> Tensor:
    image: Tensor = generator(condition).image
    return image


def markdown(results: Row) -> str:
    """The tables of what was measured, or of the JSON that it was saved as."""
    text = (
        "One picture at a time, height × width, at published size with random weights; milliseconds as the median "
        f"(interquartile range) of {results['rounds']} rounds in which all of one size take turns. “Plain” is the "
        "generator as it is written, with one-hot planes and a spectral norm at every call. Both were first shown to "
        "make the same picture (error: the largest difference). The process keeps freed memory, as a translated folder "
        "has it: for both sides, page faults are none of what is compared."
    )
    heads = ["model", "size", "plain, ms", "prepared, ms", "times faster", "error"]
    cells = [
        [
            row["model"],
            size_text(row["size"]),
            *(time_text(row["seconds"][side]) for side in ("plain", "prepared")),
            f"{row['seconds']['plain']['median'] / row['seconds']['prepared']['median']:.2f}",
            f"{row['error']:.1e}",
        ]
        for row in results["rows"]
    ]
    parts = [
        "# Rivals prepared for inference",
        circumstances_text(results),
        text,
        table(heads, cells),
        *_about_clade(results),
    ]
    return "\n\n".join(parts) + "\n"


def _about_clade(results: Row) -> list[str]:
    medians = {
        (row["model"], tuple(row["size"])): {side: times["median"] for side, times in row["seconds"].items()}
        for row in results["rows"]
    }
    lines = []
    for size in dict.fromkeys(size for _, size in medians):
        with_offsets = medians[WITH_OFFSETS, size]
        faster = medians["spade, cityscapes", size]["prepared"] / medians["clade, cityscapes", size]["prepared"]
        share = with_offsets["offsets"] / with_offsets["prepared"]
        lines.append(
            f"At {size_text(size)} CLADE is {faster:.2f} times as fast as SPADE, both prepared; the offsets of "
            f"CLADE-ICPE take {1000 * with_offsets['offsets']:.1f} ms, {100 * share:.1f} % of its time."
        )
    return lines


if __name__ == "__main__":
    typer.run(main)
