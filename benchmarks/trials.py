"""Networks trained alike, then judged alike: what the benchmarks that repeat a paper's comparison have in common.

A trial is a training run in a folder of its own. ``train`` goes on with whatever is begun there, so that such a
benchmark can be stopped at any time and called again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from ground import ROOT
from pixelwise import machine
from pixelwise.bench.laps import in_turns
from pixelwise.bench.memory import family_training_bytes
from pixelwise.bench.table import Row, size_text
from pixelwise.checkpoint import read_manifest
from pixelwise.condition import Condition
from pixelwise.contact_sheet import condition_pictures, contact_sheet, tensor_pictures
from pixelwise.data.augment import resized
from pixelwise.errors import InputError
from pixelwise.evaluation import Comparison, Examination, Setting, prepare
from pixelwise.models import family_named
from pixelwise.models.family import config_from_json
from pixelwise.training import TrainConfig, train
from pixelwise.translate import Translator, load

SCENES = tuple(
    ROOT / "examples" / "street" / f"{name}.png" for name in ("avenue", "high_street", "railway_fence", "traffic_queue")
)

SCENE_SIZE = (128, 160)
CAMVID = ROOT.parent / "shared" / "data" / "camvid"

DataOption = Annotated[Path, typer.Option(help="Folder of the data set.")]
RunsOption = Annotated[Path, typer.Option(help="Folder for the runs.")]
SegmenterOption = Annotated[
    Path | None, typer.Option(help="A network that finds the label maps' classes in photos, for mIoU and the like.")
]
RoundsOption = Annotated[int, typer.Option(min=1, help="In which all are timed in turns, after one that warms up.")]
ThreadsOption = Annotated[int, typer.Option(min=1, help="Threads that torch may use.")]
TrainOnlyOption = Annotated[bool, typer.Option("--train-only", help="Measure nothing yet.")]
ALIKE = ("dataset", "data", "scale", "crop", "batch_size", "steps", "seed")
"""Of all trials that are compared."""


def train_all(trials: Mapping[str, TrainConfig], runs: Path) -> dict[str, Path]:
    """The checkpoint of every trial, trained first where it is not.

    Raises:
        InputError: trials that differ in one of ``ALIKE``; data that cannot be used; a folder with another run.
    """
    for shared in ALIKE:
        if len(values := {str(getattr(config, shared)) for config in trials.values()}) > 1:
            raise InputError(f"the trials differ in {shared}: {', '.join(sorted(values))}")
    return {name: train(replace(config, out=str(runs / folder_name(name)))) for name, config in trials.items()}


def folder_name(trial: str) -> str:
    """Of a trial's run: its name, without what folders should not have."""
    return "".join(letter if letter.isalnum() else "_" for letter in trial)


def tell_unmeasured(setting: Setting) -> None:
    """Says what ``judge`` could not measure, and why: in time to be put right before networks are trained.

    Raises:
        InputError: data that are not the protocol's; a file that was given and cannot be read, or has no use.
    """
    for remark in prepare(setting).remarks:
        typer.echo(f"note: {remark}", err=True)


def judge(checkpoints: Mapping[str, Path], setting: Setting, folder: Path, rounds: int) -> Row:
    """All rows, in what JSON can hold, with those of the real photos where a segmenter has judged them.

    Args:
        checkpoints: of the trials, by their names.
        setting: protocol, data and what the measures need.
        folder: for the pictures and what was observed of them.
        rounds: in which all are timed in turns.

    Raises:
        InputError: data that are not the protocol's.
    """
    examination = prepare(setting)
    comparison = Comparison(examination, of_these_versions(folder), device="cpu")
    report = comparison.run([str(path) for path in checkpoints.values()])
    found = {row["model"]: row for row in report["models"]}
    seconds = time_in_turns(checkpoints, examination, rounds)
    rows = []
    for name, path in checkpoints.items():
        row = found.pop(path.parent.name)
        kept = ("family", "figures", "parameters", "macs", "peak_memory")
        rows.append({"name": name, **{key: row[key] for key in kept}, "seconds": seconds[name]})
    return {
        **machine.circumstances(),
        **{key: report[key] for key in ("protocol", "what", "samples", "names_sha256", "targets_sha256", "remarks")},
        "rounds": rounds,
        "rows": rows,
        "real": next((row["figures"] for row in found.values() if row["real"]), None),
    }


def of_these_versions(folder: Path) -> Path:
    """A folder in this one: what other versions have observed is not gone on with (see ``Journal``), but stays."""
    versions = machine.versions_text(machine.versions())
    return folder / hashlib.sha256(versions.encode()).hexdigest()[:8]


def training_memory(checkpoint: Path, size: tuple[int, int]) -> int | None:
    """Bytes that the first step of training this network on one picture takes, see ``family_training_bytes``."""
    manifest = read_manifest(checkpoint)
    return family_training_bytes(config_from_json(family_named(manifest.family), manifest.config), size)


def time_in_turns(checkpoints: Mapping[str, Path], examination: Examination, rounds: int) -> dict[str, Row]:
    """Seconds of the first sample's picture, all of them prepared for inference."""
    condition = examination.sample(0).condition
    runs = {name: partial(load(path, "cpu").translate, condition) for name, path in checkpoints.items()}
    return {name: asdict(runtime) for name, runtime in in_turns(runs, rounds, unmeasured=1).items()}


def budget(trials: Mapping[str, TrainConfig]) -> Row:
    """What every trial had."""
    config = next(iter(trials.values()))
    return {
        "dataset": config.dataset,
        "trained_at": config.crop or config.scale,
        "crops": config.crop is not None,
        "steps": config.steps,
        "batch_size": config.batch_size,
        "images_seen": config.steps * config.batch_size,
    }


def budget_text(results: Row) -> str:
    """The budget and the judges in words: what must be said before anyone compares with a paper."""
    had = results["budget"]
    seen = "crops of pictures" if had["crops"] else "pictures"
    return (
        f"A small budget on a CPU: every network saw {had['images_seen']} {seen} of {had['dataset']} at "
        f"{size_text(had['trained_at'])} ({had['steps']} steps of {had['batch_size']}), once, from one seed; papers "
        f"train for hundreds of times as much. Judged by {results['protocol']} on {results['samples']} pictures. Time: "
        f"one picture, prepared for inference, medians of {results['rounds']} rounds in which all take turns."
    )


def street_scenes(checkpoints: Sequence[Path], size: tuple[int, int]) -> np.ndarray:
    """A row for each drawn scene, which may be shown: the label map, brought to ``size``, then all models' pictures."""
    translators = [load(path, "cpu") for path in checkpoints]
    conditions = (resized(translators[0].read_condition(scene), size) for scene in SCENES)
    return contact_sheet([_row(translators, condition) for condition in conditions])


def samples_shown(checkpoints: Sequence[Path], setting: Setting, count: int = 4) -> np.ndarray:
    """A row for each of some samples, spread over all: the input, then all models' pictures, then the target."""
    translators = [load(path, "cpu") for path in checkpoints]
    samples = setting.protocol.open(setting.root)
    chosen = [setting.protocol.sample(samples, index * len(samples) // count) for index in range(count)]
    return contact_sheet(
        [_row(translators, sample.condition) + tensor_pictures(sample.target[:1]) for sample in chosen]
    )


def _row(translators: Sequence[Translator], condition: Condition) -> list[np.ndarray]:
    pictures = torch.cat([_translate(translator, condition) for translator in translators])
    return condition_pictures(condition, translators[0].manifest.spec) + tensor_pictures(pictures)


def _translate(translator: Translator, condition: Condition) -> Tensor:
    return translator.translate(condition, seed=0 if translator.seeds.matter(styled=False) else None)
