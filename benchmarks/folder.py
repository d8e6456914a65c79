"""How fast a folder is translated, beside what its model alone could do.

``python benchmarks/folder.py`` draws label maps into a temporary folder and translates them as `pixelwise translate`
does, reading and writing included; and, read beforehand, by the model alone. Both take turns, a few pictures each, so
that what else the machine does meets both alike. Writes ``results/folder.json`` and, made from it, the table of
``results/folder.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from pixelwise import images, machine
from pixelwise.bench.measurement import write
from pixelwise.bench.subject import bundled_of_labels
from pixelwise.bench.table import Row, size_text
from pixelwise.condition import Condition
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.metrics.complexity import summarise
from pixelwise.translate import Translator, job_plan, jobs, load

ROOT = Path(__file__).parents[1]
SCENES = ROOT / "examples"
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = ROOT / "out" / "benchmarks"
MODELS = bundled_of_labels()

Turn = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """What is measured of every model.

    Attributes:
        count: label maps.
        portion: how many of them are translated before it is the other side's turn.
        side: height and width of each in pixels.
    """

    count: int = 1000
    portion: int = 100
    side: int = 512


QUICK = Plan(count=4, portion=2, side=64)


def draw_maps(folder: Path, translator: Translator, scenes: Path, plan: Plan) -> list[job_plan.Job]:
    """The scenes' label maps, enlarged and shifted so that no two are equal; and what is to be done with them."""
    spec = translator.manifest.spec.labels
    assert spec is not None, "the models that ship read labels"
    paths = sorted(scenes.glob("*.png"))
    for index in range(plan.count):
        labels = images.read_labels(paths[index % len(paths)], spec)
        rows, columns = (np.arange(plan.side) * side // plan.side for side in labels.shape)
        shifted = np.roll(labels[rows][:, columns], 7 * index, axis=1)
        images.write_labels(folder / "maps" / f"{index:04}.png", shifted, spec)
    return job_plan.plan([str(folder / "maps")], folder / "pictures")


def measure_in_turns(translator: Translator, planned: Sequence[job_plan.Job], portion_size: int) -> list[Turn]:
    """Seconds of the model alone and of the folder, for each portion."""
    turns = []
    for index, portion in enumerate(portions(planned, portion_size)):
        conditions = [translator.read_condition(job.source) for job in portion]
        sides = [partial(translate_alone, translator, conditions), partial(translate_folder, translator, portion)]
        if index % 2:
            folder, alone = (seconds(side) for side in reversed(sides))
        else:
            alone, folder = (seconds(side) for side in sides)
        turns.append((alone, folder))
    return turns


def translate_alone(translator: Translator, conditions: Sequence[Condition]) -> None:
    for condition in conditions:
        translator.translate(condition)


def translate_folder(translator: Translator, portion: Sequence[job_plan.Job]) -> None:
    if failed := [outcome.error for outcome in jobs.run(translator, portion) if outcome.error is not None]:
        raise SystemExit("\n".join(failed))


def portions(planned: Sequence[job_plan.Job], size: int) -> Iterator[Sequence[job_plan.Job]]:
    return (planned[first : first + size] for first in range(0, len(planned), size))


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def row(model: str, plan: Plan) -> Row:
    """One model: pictures per second of both sides, and what reading and writing take by themselves."""
    translator = load(model, "cpu")
    with TemporaryDirectory() as folder:
        planned = draw_maps(Path(folder), translator, SCENES / model, plan)
        (picture,) = translator.translate(translator.read_condition(planned[0].source))
        turns = measure_in_turns(translator, planned, plan.portion)
        file_bytes = median(job.destination.stat().st_size for job in planned)
        reading = [seconds(partial(translator.read_condition, job.source)) for job in planned]
        writing = [seconds(partial(write_picture, translator, job.destination, picture)) for job in planned]
    alone, whole = (sum(side) for side in zip(*turns, strict=True))
    return {
        "model": model,
        "size": [plan.side, plan.side],
        "images_per_second": {"model": plan.count / alone, "folder": plan.count / whole},
        "of_the_model": alone / whole,
        "of_the_model_by_portion": asdict(summarise([alone / whole for alone, whole in turns])),
        "read_seconds": asdict(summarise(reading)),
        "write_seconds": asdict(summarise(writing)),
        "file_bytes": file_bytes,
    }


def write_picture(translator: Translator, path: Path, picture: Tensor) -> None:
    images.write(path, images.from_tensor(picture, translator.manifest.target))


def measure(models: Sequence[str], plan: Plan) -> Row:
    """All rows, and what a reader must know to judge them, in what JSON can hold."""
    return {
        **machine.circumstances(),
        "plan": asdict(plan),
        "rows": [row(model, plan) for model in announced(models)],
    }


def announced(models: Sequence[str]) -> Iterator[str]:
    for model in models:
        typer.echo(model, err=True)
        yield model


def markdown(results: Row) -> str:
    """The table of what ``measure`` returned, or of the JSON that it was saved as."""
    plan = results["plan"]
    heads = [
        "model",
        "size",
        "model alone, images/s",
        "folder, images/s",
        "of the model",
        "read, ms",
        "write, ms",
        "KB",
    ]
    cells = [
        [
            row["model"],
            size_text(row["size"]),
            f"{row['images_per_second']['model']:.1f}",
            f"{row['images_per_second']['folder']:.1f}",
            f"{row['of_the_model']:.2f}",
            f"{1000 * row['read_seconds']['median']:.1f}",
            f"{1000 * row['write_seconds']['median']:.1f}",
            f"{row['file_bytes'] / 1000:.0f}",
        ]
        for row in results["rows"]
    ]
    text = (
        f"{plan['count']} label maps read, translated one at a time and written as PNG, beside the same conditions "
        f"through the model alone; in turns of {plan['portion']} pictures. Reading and writing: by themselves, the "
        "disk's time included; median of all."
    )
    parts = ["# How fast a folder is translated", circumstances_text(results), text, table(heads, cells)]
    return "\n\n".join(parts) + "\n"


def main(
    models: Annotated[str, typer.Option(help="Bundled names, with commas between them.")] = ",".join(MODELS),
    count: Annotated[int, typer.Option(min=1, help="Label maps.")] = Plan.count,
    portion: Annotated[int, typer.Option(min=1, help="Pictures of one turn.")] = Plan.portion,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    quick: Annotated[bool, typer.Option(help="Few tiny pictures: does it work? Writes to out/benchmarks.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the two files.")] = None,
) -> None:
    """Measures folders and writes folder.json and folder.md."""
    torch.set_num_threads(threads)
    results = measure(models.split(","), QUICK if quick else Plan(count, portion))
    folder = out or (QUICK_RESULTS if quick else RESULTS)
    write(results, folder / "folder.json", markdown)
    typer.echo(markdown(results))
    typer.echo(f"written to {folder}", err=True)


if __name__ == "__main__":
    typer.run(main)
