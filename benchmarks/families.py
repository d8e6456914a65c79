"""What every family costs: time per picture, parameters, multiply-adds, and pictures per second in training.

``python benchmarks/families.py`` measures all families at their published sizes and the models that ship, on the CPU,
and writes ``results/families.json`` and, made from it, the tables of ``results/families.md``. Weights are random:
neither time nor size depends on them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import nn

from families_table import markdown
from pixelwise.allocator import keep_freed_memory
from pixelwise.atomic import write_atomically
from pixelwise.checkpoint import BUNDLED, read_manifest
from pixelwise.condition import Condition, PairedSample
from pixelwise.discriminators.conditioning import discriminator_input
from pixelwise.discriminators.patch import MultiscalePatchDiscriminator, PatchDiscriminatorConfig
from pixelwise.machine import machine, versions
from pixelwise.metrics.complexity import count_macs, measure_runtime, num_parameters
from pixelwise.models import FAMILIES, family_named, family_of
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.family import GeneratorConfig, config_from_json
from pixelwise.training.processes import Processes
from pixelwise.training.step import Game, Player, update_discriminator, update_generator

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = ROOT / "out" / "benchmarks"

Size = tuple[int, int]
Row = dict[str, Any]

LABELS_AND_EDGE = {"num_labels": 35, "instance_edges": True, "out_channels": 3}
RGB = {"image_channels": 3, "out_channels": 3}


@dataclass(frozen=True)
class Subject:
    """One row of the tables.

    Attributes:
        name: the family's, and what it is configured for.
        configure: from the pictures' (height, width) to the family's configuration.
    """

    name: str
    configure: Callable[[Size], GeneratorConfig]


@dataclass(frozen=True)
class Plan:
    """What is measured of every subject.

    Attributes:
        sizes: (height, width) of the pictures that are translated, one at a time.
        training_size: (height, width) of those that are trained on.
        training_batch: pictures of one training step.
        repeats, warm_up: calls that are measured, and calls before them.
    """

    sizes: tuple[Size, ...] = ((256, 256), (512, 512), (1024, 1024), (512, 1024))
    training_size: Size = (256, 256)
    training_batch: int = 2
    repeats: int = 5
    warm_up: int = 1


QUICK = Plan(sizes=((64, 64), (64, 128)), training_size=(64, 64), training_batch=2, repeats=1, warm_up=0)


def subjects() -> list[Subject]:
    """Every family on label maps with instance edges; then, one line each, what else is worth a row."""
    return [
        *[Subject(f"{name}, labels + edge", partial(full_size, name, LABELS_AND_EDGE)) for name in FAMILIES],
        Subject("asapnet, RGB", partial(full_size, "asapnet", RGB)),
        *[shipped(path) for path in sorted(BUNDLED.glob("*.safetensors"))],
    ]


def full_size(family: str, inputs: Mapping[str, Any], size: Size) -> GeneratorConfig:
    """The defaults of a family's configuration, which are what its authors published."""
    config: GeneratorConfig = family_named(family).config(**inputs)
    # A published ASAP-Net has sixteen rows of cells, whatever the size of its pictures.
    return replace(config, cell=size[0] // 16) if isinstance(config, AsapNetConfig) else config


def shipped(path: Path) -> Subject:
    """A bundled model, at every size in the configuration that it was trained in."""
    manifest = read_manifest(path)
    config = config_from_json(family_named(manifest.family), manifest.config)
    return Subject(f"{manifest.family}, {path.stem} (ships)", lambda size: config)


def random_sample(config: GeneratorConfig, size: Size, batch: int) -> PairedSample:
    """Noise in the shapes that a generator reads and makes."""
    condition = Condition(
        labels=torch.randint(config.num_labels, (batch, *size)) if config.num_labels else None,
        instances=torch.randint(100, (batch, *size)) if config.instance_edges else None,
        image=torch.rand(batch, config.image_channels, *size) * 2 - 1 if config.image_channels else None,
        style=torch.rand(batch, 3, *size) * 2 - 1,
    )
    target = torch.rand(batch, config.out_channels, *size) * 2 - 1
    return PairedSample(condition, target, tuple(f"noise {index}" for index in range(batch)))


@torch.no_grad()
def translation_row(subject: Subject, size: Size, plan: Plan) -> Row:
    """Size and speed of one subject on single pictures of one size."""
    config = subject.configure(size)
    generator = family_of(config).generator(config).eval()
    condition = random_sample(config, size, batch=1).condition
    macs = count_macs(generator, condition)
    return {
        "model": subject.name,
        "size": size,
        "batch": 1,
        "parameters": num_parameters(generator),
        "macs": {"total": macs.total, "low_resolution": macs.low_resolution, "pixelwise": macs.pixelwise},
        "seconds": asdict(measure_runtime(partial(generator, condition), plan.repeats, plan.warm_up)),
    }


def training_row(subject: Subject, plan: Plan) -> Row:
    """Speed of one subject in training: an update of the generator, then one of the discriminator."""
    config = subject.configure(plan.training_size)
    sample = random_sample(config, plan.training_size, plan.training_batch)
    game = game_on(config, sample)
    runtime = measure_runtime(partial(update_both, game, sample), plan.repeats, plan.warm_up)
    return {
        "model": subject.name,
        "size": plan.training_size,
        "batch": plan.training_batch,
        "images_per_second": plan.training_batch / runtime.median,
        "seconds": asdict(runtime),
    }


def game_on(config: GeneratorConfig, sample: PairedSample) -> Game:
    """A family with its own objective, but for the perceptual term, whose weights don't ship."""
    family = family_of(config)
    objective = replace(family.objective, perceptual=0.0)
    channels = discriminator_input(sample.condition, sample.target, config.num_labels).shape[1]
    judge = MultiscalePatchDiscriminator(PatchDiscriminatorConfig(), channels)
    return Game(
        generator=player(family.generator(config)),
        discriminator=player(judge) if objective.adversarial else None,
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


def measure(measured: Sequence[Subject], plan: Plan) -> Row:
    """All rows, and what a reader must know to judge them, in what JSON can hold.

    Translation is measured first, of all subjects: training sets the allocator up in its own way, for good.
    """
    torch.manual_seed(0)
    translation = [translation_row(subject, size, plan) for subject in announced(measured) for size in plan.sizes]
    keep_freed_memory()
    training = [training_row(subject, plan) for subject in announced(measured)]
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "threads": torch.get_num_threads(),
        "device": "cpu",
        "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "plan": asdict(plan),
        "translation": translation,
        "training": training,
    }


def announced(measured: Sequence[Subject]) -> Iterable[Subject]:
    for number, subject in enumerate(measured, start=1):
        typer.echo(f"{number}/{len(measured)} {subject.name}", err=True)
        yield subject


def write(results: Row, folder: Path) -> None:
    """families.json, and families.md made from it."""
    content = json.dumps(results, indent=1)
    tables = markdown(json.loads(content))
    write_atomically(folder / "families.json", lambda beside: beside.write_text(f"{content}\n"))
    write_atomically(folder / "families.md", lambda beside: beside.write_text(tables, encoding="utf-8"))


def main(
    threads: Annotated[int, typer.Option(help="Threads that torch may use.")] = 2,
    repeats: Annotated[int, typer.Option(help="Calls that are measured, after one that warms up.")] = 5,
    quick: Annotated[bool, typer.Option(help="Tiny pictures, once: does it work? Writes to out/benchmarks.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the two files.")] = None,
) -> None:
    """Measures every family and writes families.json and families.md."""
    torch.set_num_threads(threads)
    results = measure(subjects(), QUICK if quick else Plan(repeats=repeats))
    folder = out or (QUICK_RESULTS if quick else RESULTS)
    write(results, folder)
    typer.echo((folder / "families.md").read_text(encoding="utf-8"))
    typer.echo(f"written to {folder}", err=True)


if __name__ == "__main__":
    typer.run(main)
