"""A paper's comparison of networks, repeated with what is at hand: a command that trains, judges, times and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import typer

from ground import (
    COMMITTED,
    ROOT,
    DatasetOption,
    Ground,
    OutOption,
    ProtocolOption,
    SheetsOption,
    SizeOption,
    StepsOption,
)
from pixelwise import images
from pixelwise.bench.measurement import write
from pixelwise.bench.table import Row
from pixelwise.data import DATASETS
from pixelwise.errors import InputError
from pixelwise.evaluation import Setting
from pixelwise.evaluation.report.drawing import write_png
from pixelwise.evaluation.report.figures import NONE, figure_spec
from pixelwise.labels import LabelSpec
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.models.family import GeneratorConfig
from pixelwise.training import TrainConfig
from trained_comparison_plot import draw
from trials import (
    CAMVID,
    SCENE_SIZE,
    DataOption,
    RoundsOption,
    RunsOption,
    SegmenterOption,
    ThreadsOption,
    TrainOnlyOption,
    budget,
    budget_text,
    judge,
    samples_shown,
    street_scenes,
    tell_unmeasured,
    train_all,
    training_memory,
)


@dataclass(frozen=True)
class Column:
    """Of a table.

    Attributes:
        head: above it.
        text: what stands in it of a row of ``judge``.
        figure: the name of the figure that it shows; empty for what is said of a network, which real photos have not.
    """

    head: str
    text: Callable[[Row], str]
    figure: str = ""


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
        name: of its results: ``results/NAME.json``, the table beside it, the pictures ``docs/NAME.jpg``, and the plot
            ``docs/NAME_time.png`` where figures and times are at hand for it.
        title: of the page.
        text: what the paper says, and what is otherwise here.
        trials: the training runs by their names, alike in all of ``ALIKE``.
        protocol: by which they are judged.
        tables: of the page. What several of them show is trained once.
        ground: what is otherwise than in ``trials`` and ``protocol``; see ``on``.
        fitted: a trial's model as it has to be on other data, from their label maps' classes; None without label maps.
    """

    name: str
    title: str
    text: str
    trials: Mapping[str, TrainConfig]
    protocol: str
    tables: Sequence[TableSpec]
    ground: Ground = COMMITTED
    fitted: Callable[[GeneratorConfig, LabelSpec | None], GeneratorConfig] = lambda model, labels: model

    def main(
        self,
        data: DataOption = CAMVID,
        dataset: DatasetOption = "",
        protocol: ProtocolOption = "",
        size: SizeOption = "",
        steps: StepsOption = 0,
        segmenter: SegmenterOption = None,
        runs: RunsOption = ROOT / "runs",
        rounds: RoundsOption = 20,
        threads: ThreadsOption = 2,
        train_only: TrainOnlyOption = False,
        out: OutOption = None,
        sheets: SheetsOption = None,
    ) -> None:
        """Trains what is missing, judges all, and writes the JSON file, its tables and the pictures."""
        torch.set_num_threads(threads)
        try:
            compared = self.on(Ground.of(dataset, protocol, size, steps), data)
            compared.run(data, segmenter, runs, rounds, train_only, out, sheets)
        except InputError as error:
            typer.echo(f"refused: {error}", err=True)
            raise typer.Exit(1) from error

    def on(self, ground: Ground, data: Path) -> TrainedComparison:
        """The same comparison on another ground, whose results have names of their own.

        Raises InputError for data that cannot be opened.
        """
        if ground == COMMITTED:
            return self
        trials = {name: ground.moved(config) for name, config in self.trials.items()}
        if ground.dataset:
            samples = DATASETS[ground.dataset](data, "train")
            if isinstance(samples.target, LabelSpec):
                raise InputError(f"--dataset {ground.dataset}: has labels to be found, and the networks make pictures")
            labels = samples.spec.labels
            trials = {name: replace(each, model=self.fitted(each.model, labels)) for name, each in trials.items()}
        protocol = ground.protocol or ("" if ground.dataset else self.protocol)
        return replace(self, trials=trials, protocol=protocol, ground=ground)

    def run(
        self,
        data: Path,
        segmenter: Path | None,
        runs: Path,
        rounds: int,
        train_only: bool,
        out: Path | None,
        sheets: Path | None,
    ) -> None:
        """``main``, without another ground. Raises InputError for what cannot be trained or judged."""
        trials = {name: replace(config, data=str(data)) for name, config in self.trials.items()}
        name = self.name + self.ground.suffix
        # Said first: what is missing should not come to light after the training.
        how = replace(self.ground, protocol=self.protocol).protocol_for(data)
        setting = Setting(how, data, segmenter=segmenter and str(segmenter), device="cpu")
        tell_unmeasured(setting)
        checkpoints = train_all(trials, runs / name)
        if train_only:
            return
        results = {**judge(checkpoints, setting, runs / name / "judged", rounds), "budget": budget(trials)}
        if any(TRAINING_MEMORY in spec.columns for spec in self.tables):
            for row in results["rows"]:
                row["training_memory"] = training_memory(checkpoints[row["name"]], results["budget"]["trained_at"])
        pictures = self.pictures([*checkpoints.values()], setting)
        write(results, (out or self.ground.results) / f"{name}.json", self.markdown)
        images.write((sheets or self.ground.pictures) / f"{name}.jpg", pictures)
        if (plot := draw(results, self.figures)) is not None:
            write_png(plot, (sheets or self.ground.pictures) / f"{name}_time.png")
        typer.echo(self.markdown(results))

    @property
    def figures(self) -> set[str]:
        """Names of those that the tables show."""
        return {column.figure for spec in self.tables for column in spec.columns if column.figure}

    def pictures(self, checkpoints: Sequence[Path], setting: Setting) -> np.ndarray:
        """Drawn scenes, where the networks read such; otherwise samples of the data, with their targets at the end."""
        return samples_shown(checkpoints, setting) if self.ground.dataset else street_scenes(checkpoints, SCENE_SIZE)

    def markdown(self, results: Row) -> str:
        """The page of what was measured, or of the JSON that it was saved as."""
        parts = [section(results, spec) for spec in self.tables]
        if draw(results, self.figures) is not None:
            parts.append(f"![Quality against time]({self.ground.link(self.name, '_time.png')})")
        parts.append(self.ground.picture(self.name, self.trials))
        return report(self.title, results, self.text, budget_text(results), *parts)


def figure(name: str) -> Column:
    """The column of a figure of the protocol."""
    spec = figure_spec(name)
    return Column(spec.head, lambda row: spec.text(row["figures"].get(name)), name)


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
        cells = [column.text(photos) if column.figure else "" for column in spec.columns]
        lines += [["real photos", *cells]] if set(cells) - {"", NONE} else []
    return table(["", *(column.head for column in spec.columns)], lines)


def report(title: str, results: Row, *parts: str) -> str:
    """A page: its title, where it was measured, then the parts."""
    return "\n\n".join([f"# {title}", circumstances_text(results), *parts]) + "\n"
