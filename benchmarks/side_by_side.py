"""ASAP-Net beside its rivals after the same number of images: ``experiments/compare_*.py``, trained with `train`.

``python benchmarks/side_by_side.py`` reads the last weights of each experiment's run and measures them on the whole
validation split, then what a picture costs. Writes ``results/side_by_side.json``, the table of
``results/side_by_side.md``, made from it, and ``docs/side_by_side.jpg``: label maps drawn for this project, whose
pictures may be shown, and what each model makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from pixelwise import images, machine
from pixelwise.bench.families import FamilyPlan, picture_cost
from pixelwise.bench.families_table import memory_text
from pixelwise.bench.measurement import write
from pixelwise.bench.table import Row, size_text
from pixelwise.checkpoint import load_checkpoint
from pixelwise.data import DATASETS
from pixelwise.data.augment import Augment
from pixelwise.errors import InputError
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.training import TrainConfig
from pixelwise.training.experiment import read_experiment
from pixelwise.training.validation import validation_scores
from trials import street_scenes

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SHEET = ROOT / "docs" / "side_by_side.jpg"


def main(
    experiments: Annotated[Path, typer.Option(help="Folder of the experiments, compare_*.py.")] = ROOT / "experiments",
    runs: Annotated[Path, typer.Option(help="Folder that their `out` is relative to.")] = ROOT,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the table.")] = RESULTS,
    sheet: Annotated[Path, typer.Option(help="Where the pictures go.")] = SHEET,
) -> None:
    """Measures every run and writes side_by_side.json, side_by_side.md and the pictures."""
    torch.set_num_threads(threads)
    try:
        configs = [read_experiment(path) for path in sorted(experiments.glob("compare_*.py"))]
        checkpoints = [runs / config.out / "last.safetensors" for config in configs]
        check_alike(configs)
        results = measure(configs, checkpoints)
        pictures = street_scenes(checkpoints, results["size"])
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    write(results, out / "side_by_side.json", markdown)
    images.write(sheet, pictures)
    typer.echo(markdown(results))


def check_alike(configs: Sequence[TrainConfig]) -> None:
    """Raises InputError unless all saw equally many images of one set, in one size and order, judged alike."""
    if not configs:
        raise InputError("no experiments compare_*.py in that folder")
    fields = ("dataset", "data", "scale", "crop", "batch_size", "steps", "seed", "discriminator")
    for field in fields:
        if len(values := {str(getattr(config, field)) for config in configs}) > 1:
            raise InputError(f"the experiments differ in {field}: {', '.join(sorted(values))}")


def measure(configs: Sequence[TrainConfig], checkpoints: Sequence[Path]) -> Row:
    """A row for each model, in what JSON can hold."""
    first = configs[0]
    return {
        **machine.circumstances(),
        "dataset": first.dataset,
        "size": first.scale,
        "images_seen": first.steps * first.batch_size,
        "rows": [row(config, path) for config, path in zip(configs, checkpoints, strict=True)],
    }


def row(config: TrainConfig, path: Path) -> Row:
    trained = load_checkpoint(path)
    if trained.manifest.step != config.steps:
        raise InputError(f"{path}: is at step {trained.manifest.step} of {config.steps}; finish the run first")
    samples = DATASETS[config.dataset](ROOT / config.data, "val")
    whole = Augment(scale=config.scale)
    assert isinstance(config.scale, tuple)
    validation = [whole.centred(samples[index]) for index in range(len(samples))]
    return {
        "family": trained.manifest.family,
        "experiment": f"{path.parent.name}.py",
        "model": trained.manifest.config,
        "weights": trained.manifest.weights,
        "validation_samples": len(samples),
        "scores": validation_scores(trained.generator, validation, samples.target),  # type: ignore[arg-type]
        **picture_cost(trained.generator.config, config.scale, FamilyPlan(repeats=20)),
    }


def markdown(results: Row) -> str:
    """The table of what ``measure`` returned, or of the JSON that it was saved as."""
    names = list(results["rows"][0]["scores"])
    heads = ["model", "parameters, M", "multiply-adds, G", "ms per picture", "memory, MB", *names]
    cells = [
        [
            f"[{row['family']}](../../experiments/{row['experiment']})",
            f"{row['parameters'] / 1e6:.2f}",
            f"{row['macs']['total'] / 1e9:.2f}",
            f"{1000 * row['seconds']['median']:.1f}",
            memory_text(row),
            *(f"{row['scores'][name]:.3f}" for name in names),
        ]
        for row in results["rows"]
    ]
    text = (
        f"Each was shown {results['images_seen']} pictures at {size_text(results['size'])}, drawn in the same order "
        f"from the training split of {results['dataset']}; scores are means over "
        f"{results['rows'][0]['validation_samples']} validation pictures that "
        "none of them learned from. Time and memory: one picture at a time, prepared for inference. No run was "
        "repeated with another seed, and none of the widths is the published one: the experiments say which."
    )
    return "\n\n".join(["# Side by side", circumstances_text(results), text, table(heads, cells)]) + "\n"


if __name__ == "__main__":
    typer.run(main)
