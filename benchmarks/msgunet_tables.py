"""MSG U-Net beside its rivals, and what it makes of less: the paper's Tables 1 to 3, at sizes and for a time that suit
a CPU.

    python benchmarks/msgunet_tables.py --data ../shared/data

trains four networks on each of three data sets, those that are not trained yet, judges them on the validation splits,
and asks MSG U-Net for pictures of every size from inputs of every size. It writes ``results/msgunet_tables.json``, the
tables of ``results/msgunet_tables.md``, made from it, and ``docs/msgunet_tables.jpg``: label maps drawn for this
project, and what each network that learned streets makes of them. With ``--dataset NAME --data FOLDER --size SIZE`` it
does so on one other data set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

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
from msgunet_sizes import SIZES_TEXT, by_size_table, ssim_by_size
from pixelwise import images, machine
from pixelwise.bench.measurement import write
from pixelwise.bench.table import Row, size_text
from pixelwise.discriminators.patch import PIX2PIX, PIX2PIX_HD
from pixelwise.discriminators.perceptual import PerceptualDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.evaluation import Protocol, Setting, protocol_named
from pixelwise.markdown import table
from pixelwise.models.msgunet import MsgUNetConfig, discriminator
from pixelwise.models.pan import PanConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.training import TrainConfig
from pixelwise.translate import load
from trained_comparison import MACS, PARAMETERS, TIME, Column, figure, report
from trials import (
    CAMVID,
    SCENE_SIZE,
    RoundsOption,
    RunsOption,
    ThreadsOption,
    TrainOnlyOption,
    budget,
    judge,
    samples_shown,
    street_scenes,
    tell_unmeasured,
    train_all,
)

NAME = "msgunet_tables"
OURS = "MSG U-Net"

DataOption = Annotated[
    Path, typer.Option(help="Folder of the data sets' folders: camvid, nyu_depth, maps; with --dataset of that one.")
]


@dataclass(frozen=True)
class PictureSet:
    """A data set that networks are trained and judged on.

    Attributes:
        title: in the tables.
        dataset: its name among ``DATASETS``.
        folder: its own, among the data sets' and among the runs; empty for the only one.
        protocol: by which networks are judged, and at whose size they are trained.
    """

    title: str
    dataset: str
    folder: str
    protocol: Protocol


SETS = (
    PictureSet("CamVid", "camvid", "camvid", protocol_named("camvid-val-128x160-v1")),
    PictureSet("NYU", "nyu_photo", "nyu_depth", protocol_named("nyu-photo-val-128x128-v1")),
    PictureSet("Aerial photos to maps", "maps", "maps", protocol_named("maps-val-128x128-v1")),
)
"""In the order of Table 1. The first one is of streets."""

MODEL = MsgUNetConfig(width=12, num_scales=3, num_downsamplings=3)
"""As in the paper its smallest size has 4 places on the short side. A fourth scale would have 16, of which nothing is
left to pix2pix's discriminator."""

STUDY = TrainConfig(
    model=MODEL,
    discriminator=replace(discriminator(MODEL), width=16),
    dataset="camvid",
    data=str(CAMVID),
    out="",
    scale=SCENE_SIZE,
    batch_size=2,
    steps=300,
    constant_steps=200,
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    save_every=100,
    sheet_every=300,
    validate_every=300,
    validation_samples=20,
)

NETWORKS: Mapping[str, TrainConfig] = {
    "pix2pix": replace(
        STUDY, model=Pix2PixConfig(width=32, num_downsamplings=6), discriminator=replace(PIX2PIX, width=16)
    ),
    "PAN": replace(
        STUDY, model=PanConfig(width=18, num_downsamplings=5), discriminator=PerceptualDiscriminatorConfig(width=12)
    ),
    "pix2pixHD": replace(
        STUDY,
        model=Pix2PixHdConfig(width=12, num_downsamplings=3, num_blocks=6),
        discriminator=replace(PIX2PIX_HD, width=16),
    ),
    OURS: STUDY,
}
"""In Table 1's order, with each paper's own losses."""

QUALITY = tuple(map(figure, ("psnr", "ssim", "vif")))
COSTS = (MACS, PARAMETERS, TIME)


def main(
    data: DataOption = CAMVID.parent,
    dataset: DatasetOption = "",
    protocol: ProtocolOption = "",
    size: SizeOption = "",
    steps: StepsOption = 0,
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
        ground = Ground.of(dataset, protocol, size, steps)
        name, sets = NAME + ground.suffix, sets_on(ground, data)
        trials = {kind: trials_on(kind, data, ground) for kind in sets}
        settings = {kind: Setting(kind.protocol, data / kind.folder, device="cpu") for kind in sets}
        for setting in settings.values():
            tell_unmeasured(setting)
        trained = {kind: train_all(trials[kind], runs / name / kind.folder) for kind in sets}
        if train_only:
            return
        found = [
            {"title": kind.title, "dataset": kind.dataset, "budget": budget(trials[kind])}
            | measure(trained[kind], settings[kind], runs / name / "judged" / kind.folder, rounds)
            for kind in sets
        ]
        first = [*trained[sets[0]].values()]
        pictures = samples_shown(first, settings[sets[0]]) if dataset else street_scenes(first, SCENE_SIZE)
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    results = {**machine.circumstances(), "rounds": rounds, "sets": found}
    to_markdown = partial(markdown, ground=ground)
    write(results, (out or ground.results) / f"{name}.json", to_markdown)
    images.write((sheets or ground.pictures) / f"{name}.jpg", pictures)
    typer.echo(to_markdown(results))


def sets_on(ground: Ground, data: Path) -> Sequence[PictureSet]:
    """``SETS``, or the one set that was asked for.

    Raises:
        InputError: no protocol suits, or it is of another size than was asked for; or a size was asked for of all.
    """
    if not ground.dataset:
        if ground.size or ground.protocol:
            raise InputError("--size and --protocol are of one data set: --dataset says which")
        return SETS
    protocol = ground.protocol_for(data)
    if protocol.size != ground.size:
        raise InputError(f"--size: {protocol.name} is of pictures of {protocol.size}, got {ground.size}")
    return (PictureSet(ground.dataset, ground.dataset, "", protocol),)


def trials_on(kind: PictureSet, data: Path, ground: Ground = COMMITTED) -> dict[str, TrainConfig]:
    """The training runs on one data set, by their networks' names, at its protocol's size."""
    where = {"dataset": kind.dataset, "data": str(data / kind.folder), "scale": kind.protocol.size}
    return {name: replace(ground.moved(config), **where) for name, config in NETWORKS.items()}


def measure(checkpoints: Mapping[str, Path], setting: Setting, folder: Path, rounds: int) -> Row:
    """All that is measured on one data set, in what JSON can hold.

    Args:
        checkpoints: of the networks trained on it, by their names.
        setting: the set and its protocol.
        folder: for the pictures and what was observed of them.
        rounds: in which all are timed in turns.

    Raises:
        InputError: data that are not the protocol's.
    """
    return {
        **judge(checkpoints, setting, folder, rounds),
        "by_size": ssim_by_size(load(checkpoints[OURS], "cpu"), setting),
    }


def markdown(results: Row, ground: Ground = COMMITTED) -> str:
    """The page of what was measured on some ground, or of the JSON that it was saved as."""
    title = f"{OURS} beside its rivals, and from inputs of less detail"
    return report(
        title,
        results,
        budget_text(results),
        "## Quality: the paper's Table 1",
        _QUALITY_TEXT,
        by_set(results, QUALITY),
        "What the networks cost:",
        by_set(results, COSTS),
        ground.picture(NAME, NETWORKS),
        "## Input against output resolution: the paper's Tables 2 and 3",
        SIZES_TEXT,
        *(part for found in results["sets"] for part in (f"### {found['title']}", by_size_table(found["by_size"]))),
    )


_QUALITY_TEXT = (
    "The paper has Cityscapes, NYU and aerial photos at 512 × 512, and gives pix2pix and PAN pictures of 256 × 256 "
    "only; here all networks read and make the same size, so that their figures compare. They "
    "are narrow, of about as many multiply-adds a picture, where the paper's pix2pixHD costs 2.5 times as much as its "
    "MSG U-Net; so are their discriminators. The losses are each paper's own, but for the perceptual term of pix2pixHD "
    "and MSG U-Net, since VGG19's weights were not at hand: what is left to these two is their adversaries and the "
    "features of those, while pix2pix also compares pixels. Label maps are read as classes."
)


def budget_text(results: Row) -> str:
    """The budget and the judges in words: what must be said before anyone compares with the paper."""
    had = results["sets"][0]["budget"]
    judged = "; ".join(
        f"{found['title']} at {size_text(found['budget']['trained_at'])}, judged by {found['protocol']} on "
        f"{found['samples']} pictures"
        for found in results["sets"]
    )
    return (
        f"A small budget on a CPU: every network saw {had['images_seen']} pictures of each data set ({had['steps']} "
        f"steps of {had['batch_size']}), once, from one seed; papers train for hundreds of times as much. {judged}. "
        f"Time: one picture, prepared for inference, medians of {results['rounds']} rounds in which all take turns."
    )


def by_set(results: Row, columns: Sequence[Column]) -> str:
    """A line for each network; of each data set all columns."""
    sets = results["sets"]
    heads = ["", *(f"{found['title']}: {column.head}" for found in sets for column in columns)]
    lines = zip(*(found["rows"] for found in sets), strict=True)
    return table(
        heads, [[line[0]["name"], *(column.text(row) for row in line for column in columns)] for line in lines]
    )


if __name__ == "__main__":
    typer.run(main)
