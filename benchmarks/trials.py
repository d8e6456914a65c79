"""Networks trained alike, then judged alike: what the benchmarks that repeat a paper's comparison have in common.

A trial is a training run in a folder of its own. ``train`` goes on with whatever is begun there, so that such a
benchmark can be stopped at any time and called again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from pixelwise import images, machine
from pixelwise.bench.laps import in_turns
from pixelwise.bench.measurement import write
from pixelwise.bench.memory import family_training_bytes
from pixelwise.bench.table import Row, size_text, table
from pixelwise.checkpoint import read_manifest
from pixelwise.condition import Condition
from pixelwise.contact_sheet import condition_pictures, contact_sheet, tensor_pictures
from pixelwise.data.augment import resized
from pixelwise.errors import InputError
from pixelwise.evaluation import Comparison, Examination, Setting, prepare, protocol_named
from pixelwise.evaluation.report.figures import NONE, figure_spec
from pixelwise.machine import circumstances_text
from pixelwise.models import family_named
from pixelwise.models.family import config_from_json
from pixelwise.training import TrainConfig, train
from pixelwise.translate import Translator, load

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
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
OutOption = Annotated[Path, typer.Option(help="Folder for the JSON file and the table.")]
SheetsOption = Annotated[Path, typer.Option(help="Folder for the pictures.")]

ALIKE = ("dataset", "data", "scale", "crop", "batch_size", "steps", "seed")
"""Of all trials that are compared."""


@dataclass(frozen=True)
class Column:
    """Of a table.

    Attributes:
        head: above it.
        text: what stands in it of a row of ``judge``.
        of_pictures: whether it says something of pictures, so that real photos have it too.
    """

    head: str
    text: Callable[[Row], str]
    of_pictures: bool = False


@dataclass(frozen=True)
class TableSpec:
    """One of a comparison's tables.

    Attributes:
        columns: from left to right.
        rows: from what a row is called to the trial that it shows; None for all of them under their own names.
        title: above it; empty for the only one of a page.
        text: between these two.
    """

    columns: Sequence[Column]
    rows: Mapping[str, str] | None = None
    title: str = ""
    text: str = ""


@dataclass(frozen=True)
class TrainedComparison:
    """A paper's comparison of networks, to be repeated with what is at hand.

    Attributes:
        name: of its results: ``results/NAME.json``, the table beside it, and the pictures ``docs/NAME.jpg``.
        title: of the page.
        text: what the paper says, and what is otherwise here.
        trials: the training runs by their names, alike in all of ``ALIKE``.
        protocol: by which they are judged.
        tables: of the page. What several of them show is trained once.
    """

    name: str
    title: str
    text: str
    trials: Mapping[str, TrainConfig]
    protocol: str
    tables: Sequence[TableSpec]

    def main(
        self,
        data: DataOption = CAMVID,
        segmenter: SegmenterOption = None,
        runs: RunsOption = ROOT / "runs",
        rounds: RoundsOption = 20,
        threads: ThreadsOption = 2,
        train_only: TrainOnlyOption = False,
        out: OutOption = RESULTS,
        sheets: SheetsOption = ROOT / "docs",
    ) -> None:
        """Trains what is missing, judges all, and writes the JSON file, its tables and the pictures."""
        torch.set_num_threads(threads)
        trials = {name: replace(config, data=str(data)) for name, config in self.trials.items()}
        try:
            checkpoints = train_all(trials, runs / self.name)
            if train_only:
                return
            setting = Setting(protocol_named(self.protocol), data, segmenter=segmenter and str(segmenter), device="cpu")
            results = {**judge(checkpoints, setting, runs / self.name / "judged", rounds), "budget": budget(trials)}
            if any(TRAINING_MEMORY in spec.columns for spec in self.tables):
                for row in results["rows"]:
                    row["training_memory"] = training_memory(checkpoints[row["name"]], results["budget"]["trained_at"])
            pictures = street_scenes([*checkpoints.values()], SCENE_SIZE)
        except InputError as error:
            typer.echo(f"refused: {error}", err=True)
            raise typer.Exit(1) from error
        write(results, out / f"{self.name}.json", self.markdown)
        images.write(sheets / f"{self.name}.jpg", pictures)
        typer.echo(self.markdown(results))

    def markdown(self, results: Row) -> str:
        """The page of what was measured, or of the JSON that it was saved as."""
        sections = (section(results, spec) for spec in self.tables)
        pictures = (
            f"![Label maps and what the networks make of them](../../docs/{self.name}.jpg)",
            f"*Label maps drawn for this project, then what each makes of them: {'; '.join(self.trials)}.*",
        )
        return report(self.title, results, self.text, budget_text(results), *sections, *pictures)


def train_all(trials: Mapping[str, TrainConfig], runs: Path) -> dict[str, Path]:
    """The checkpoint of every trial, trained first where it is not.

    Raises:
        InputError: trials that differ in one of ``ALIKE``; data that cannot be used; a folder with another run.
    """
    for field in ALIKE:
        if len(values := {str(getattr(config, field)) for config in trials.values()}) > 1:
            raise InputError(f"the trials differ in {field}: {', '.join(sorted(values))}")
    return {name: train(replace(config, out=str(runs / folder_name(name)))) for name, config in trials.items()}


def folder_name(trial: str) -> str:
    """Of a trial's run: its name, without what folders should not have."""
    return "".join(letter if letter.isalnum() else "_" for letter in trial)


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
    report = Comparison(examination, folder, device="cpu").run([str(path) for path in checkpoints.values()])
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


def figure(name: str) -> Column:
    """The column of a figure of the protocol."""
    spec = figure_spec(name)
    return Column(spec.head, lambda row: spec.text(row["figures"].get(name)), of_pictures=True)


PARAMETERS = Column("parameters, M", lambda row: f"{row['parameters'] / 1e6:.2f}")
MACS = Column("multiply-adds, G", lambda row: f"{row['macs']['total'] / 1e9:.2f}")
TRAINING_MEMORY = Column(
    "training, MB",
    lambda row: NONE if row["training_memory"] is None else f"{row['training_memory'] / 1e6:.0f}",
)
TIME = Column("ms", lambda row: f"{1000 * row['seconds']['median']:.1f}")


def section(results: Row, spec: TableSpec) -> str:
    """A table below its title and text, where it has them."""
    title = f"## {spec.title}" if spec.title else ""
    return "\n\n".join(part for part in (title, spec.text, trials_table(results, spec)) if part)


def trials_table(results: Row, spec: TableSpec) -> str:
    """A line for each of the table's trials, then what real photos have."""
    judged = {row["name"]: row for row in results["rows"]}
    named = {name: name for name in judged} if spec.rows is None else spec.rows
    lines = [[name, *(column.text(judged[trial]) for column in spec.columns)] for name, trial in named.items()]
    if results["real"]:
        photos = {"figures": results["real"]}
        lines.append(["real photos", *(column.text(photos) if column.of_pictures else "" for column in spec.columns)])
    return table(["", *(column.head for column in spec.columns)], lines)


def report(title: str, results: Row, *parts: str) -> str:
    """A page: its title, where it was measured, then the parts."""
    return "\n\n".join([f"# {title}", circumstances_text(results), *parts]) + "\n"


def street_scenes(checkpoints: Sequence[Path], size: tuple[int, int]) -> np.ndarray:
    """A row for each drawn scene, which may be shown: the label map, brought to ``size``, then all models' pictures."""
    translators = [load(path, "cpu") for path in checkpoints]
    spec = translators[0].manifest.spec
    rows = []
    for scene in SCENES:
        condition = resized(translators[0].read_condition(scene), size)
        pictures = [_translate(translator, condition) for translator in translators]
        rows.append(condition_pictures(condition, spec) + tensor_pictures(torch.cat(pictures)))
    return contact_sheet(rows)


def _translate(translator: Translator, condition: Condition) -> Tensor:
    return translator.translate(condition, seed=0 if translator.seeds.matter(styled=False) else None)
