"""What every family costs: ``pixelwise bench --families all``, the models that ship, and training.

``python benchmarks/families.py`` measures pictures, and pictures per second in training, on the CPU, and writes
``results/families.json`` and, made from it, the tables of ``results/families.md``. Weights are random: neither time nor
size depends on them. ``--only MODEL`` measures the rows of one model, of a new family or of one that something
disturbed, and leaves the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import nn

from families_training_table import markdown
from pixelwise import machine
from pixelwise.allocator import keep_freed_memory
from pixelwise.bench.families import (
    QUICK,
    FamilyPlan,
    FamilySubject,
    measure_families,
    patient_runtime,
    published_subjects,
)
from pixelwise.bench.measurement import write
from pixelwise.bench.plan import read_sizes
from pixelwise.bench.subject import Size, cell_for
from pixelwise.bench.table import Row
from pixelwise.checkpoint import BUNDLED, read_manifest
from pixelwise.condition import Condition, PairedSample
from pixelwise.discriminators import discriminator_of
from pixelwise.models import family_named, family_of
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.family import GeneratorConfig, config_from_json
from pixelwise.training.processes import Processes
from pixelwise.training.step import Game, Player, update_discriminator, update_generator

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = ROOT / "out" / "benchmarks"


@dataclass(frozen=True)
class TrainingPlan:
    """What is measured of every subject in training.

    Attributes:
        size: (height, width) of the pictures.
        batch: pictures of one step.
        repeats: steps that are measured at most, after one that warms up.
        patience: seconds that they may take together; one is measured in any case.
    """

    size: Size = (256, 256)
    batch: int = 2
    repeats: int = 3
    patience: float = 30.0


QUICK_TRAINING = TrainingPlan(size=(192, 192), batch=1, repeats=1)
"""No smaller: the smallest of several sizes must suffice for its discriminator."""


def subjects() -> list[FamilySubject]:
    """Every family as it was published; then, one line each, what else is worth a row."""
    pictures = AsapNetConfig(image_channels=3, out_channels=3)
    return [
        *published_subjects(),
        FamilySubject("asapnet, RGB", lambda size: replace(pictures, cell=cell_for(size))),
        *[shipped(path) for path in sorted(BUNDLED.glob("*.safetensors"))],
    ]


def shipped(path: Path) -> FamilySubject:
    """A bundled model, at every size in the configuration that it was trained in."""
    manifest = read_manifest(path)
    config = config_from_json(family_named(manifest.family), manifest.config)
    return FamilySubject(f"{manifest.family}, {path.stem} (ships)", lambda size: config)


def random_sample(config: GeneratorConfig, size: Size, batch: int) -> PairedSample:
    """Noise in the shapes that a generator reads and makes."""
    condition = Condition(
        labels=torch.randint(config.num_labels, (batch, *size)) if config.num_labels else None,
        instances=torch.randint(100, (batch, *size)) if config.instance_edges else None,
        image=torch.rand(batch, config.image_channels, *size) * 2 - 1 if config.image_channels else None,
        style=torch.rand(batch, 3, *size) * 2 - 1 if family_of(config).reads_style(config) else None,
    )
    target = torch.rand(batch, config.out_channels, *size) * 2 - 1
    return PairedSample(condition, target, tuple(f"noise {index}" for index in range(batch)))


def training_row(subject: FamilySubject, plan: TrainingPlan) -> Row:
    """Speed of one subject in training: an update of the generator, then one of the discriminator."""
    config = subject.configure(plan.size)
    sample = random_sample(config, plan.size, plan.batch)
    game = game_on(config)
    runtime = patient_runtime(partial(update_both, game, sample), plan.repeats, plan.patience)
    return {
        "model": subject.name,
        "size": plan.size,
        "batch": plan.batch,
        "images_per_second": plan.batch / runtime.median,
        "seconds": asdict(runtime),
    }


def game_on(config: GeneratorConfig) -> Game:
    """A family with its own objective and discriminator, but for the perceptual term, whose weights don't ship.

    Where that is all there is, the pictures themselves are compared.
    """
    family = family_of(config)
    objective = replace(family.objective, perceptual=0.0)
    if objective.adversarial is None and not objective.l2:
        objective = replace(objective, l1=1.0)
    judge, channels = family.discriminator_for(config), config.out_channels
    semantic_channels = config.num_labels + config.instance_edges + config.image_channels
    return Game(
        generator=player(family.generator(config)),
        discriminator=None if judge is None else player(discriminator_of(judge, semantic_channels, channels)),
        objective=objective,
        num_labels=config.num_labels,
        perceptual=None,
        autocast=nullcontext,
    )


def player(network: nn.Module) -> Player:
    """As in a training run on a CPU: channels last, float32, Adam."""
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    return Player(
        network=network,
        optimiser=torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.0, 0.9)),
        scaler=torch.amp.GradScaler("cpu", enabled=False),
        max_gradient_norm=0.0,
        processes=Processes(rank=0, count=1, device=torch.device("cpu")),
    )


def update_both(game: Game, sample: PairedSample) -> None:
    fakes, _ = update_generator(game, [sample])
    if game.discriminator is not None:
        update_discriminator(game, game.discriminator, [sample], fakes)


def measure(measured: Sequence[FamilySubject], plan: FamilyPlan, training: TrainingPlan) -> Iterator[Row]:
    """Rows, and what a reader must know to judge them, in what JSON can hold: more of them each time.

    Translation is measured first, of all subjects: training sets the allocator up in its own way, for good.
    """
    torch.manual_seed(0)
    results = {**measure_families(measured, plan, progress=announce), "training_plan": asdict(training)}
    yield {**results, "training": []}
    keep_freed_memory()
    rows = []
    for subject in measured:
        announce(f"{subject.name}, training")
        rows.append(training_row(subject, training))
        yield {**results, "training": rows}


def chosen(only: Sequence[str]) -> list[FamilySubject]:
    """Those subjects, or all. Raises BadParameter for names that none has."""
    found = {subject.name: subject for subject in subjects()}
    if unknown := [name for name in only if name not in found]:
        raise typer.BadParameter(f"no model {unknown[0]!r}; there are {'; '.join(found)}")
    return [found[name] for name in only or found]


def read_alike(path: Path, plan: FamilyPlan, training: TrainingPlan) -> Row:
    """Earlier results, which new rows may join. Raises BadParameter where they were measured otherwise."""
    if not path.is_file():
        raise typer.BadParameter(f"{path}: no such file, whose other rows could be kept")
    earlier: Row = json.loads(path.read_text(encoding="utf-8"))
    now = {**machine.circumstances(), "plan": asdict(plan), "training_plan": asdict(training)}
    now = json.loads(json.dumps(now))
    if different := [key for key in now if key != "date" and earlier[key] != now[key]]:
        key = different[0]
        raise typer.BadParameter(f"{path}: was measured with another {key}, {earlier[key]}; here it is {now[key]}")
    return earlier


def with_rows(earlier: Row, found: Row) -> Row:
    """Earlier results, in them the rows of the models that were measured again, and when that was."""
    rows = {table: _replaced(earlier[table], found[table]) for table in ("rows", "training")}
    again = {row["model"]: found["date"] for row in found["rows"]}
    return {**earlier, **rows, "again": {**earlier.get("again", {}), **again}}


def _replaced(earlier: Sequence[Row], found: Sequence[Row]) -> list[Row]:
    """In the order of ``subjects``; what is none of them any more is dropped."""
    again = {row["model"] for row in found}
    rows = [*(row for row in earlier if row["model"] not in again), *found]
    return [row for subject in subjects() for row in rows if row["model"] == subject.name]


def announce(text: str) -> None:
    typer.echo(text, err=True)


def main(
    threads: Annotated[int, typer.Option(help="Threads that torch may use.")] = 2,
    repeats: Annotated[int, typer.Option(help="Calls that are measured at most, after one that warms up.")] = 3,
    sizes: Annotated[str, typer.Option(help="HEIGHTxWIDTH, several with commas.")] = "256x256,512x512,512x1024",
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Measure its rows again, keep the file's others; repeatable."),
    ] = None,
    quick: Annotated[bool, typer.Option(help="Tiny pictures, once: does it work? Writes to out/benchmarks.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the two files.")] = None,
) -> None:
    """Measures every family and writes families.json and families.md."""
    torch.set_num_threads(threads)
    plan = FamilyPlan(sizes=read_sizes(sizes), repeats=repeats)
    plans = (QUICK, QUICK_TRAINING) if quick else (plan, TrainingPlan(repeats=repeats))
    folder = out or (QUICK_RESULTS if quick else RESULTS)
    path = folder / "families.json"
    earlier = read_alike(path, *plans) if only else None
    for results in measure(chosen(only or ()), *plans):
        write(results if earlier is None else with_rows(earlier, results), path, markdown)
    typer.echo(path.with_suffix(".md").read_text(encoding="utf-8"))
    typer.echo(f"written to {folder}", err=True)


if __name__ == "__main__":
    typer.run(main)
