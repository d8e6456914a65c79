"""Comparisons on other data, at other sizes, for other times: results have names of their own and overwrite nothing."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from tiny_comparison import run, shrunk

from pixelwise import images
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.models.clade import CladeConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training import TrainConfig


@pytest.fixture
def ground() -> ModuleType:
    return importlib.import_module("ground")


@pytest.fixture
def comparison(ground: ModuleType, tmp_path: Path) -> Any:
    page = importlib.import_module("trained_comparison")
    tables = (page.TableSpec((page.figure("psnr"), page.TIME)),)
    study = {"pix2pix": TrainConfig(Pix2PixConfig(width=2, num_downsamplings=4), "", "", "")}
    made = page.TrainedComparison("tiny", "One network", "How good?", study, "camvid-val-v1", tables)
    return shrunk(made, lambda model: model, tmp_path / "pairs")


def test_a_comparison_on_data_of_ones_own(comparison: Any, tmp_path: Path) -> None:
    run(comparison, tmp_path, dataset="paired_folder", size="32x48", steps=3)
    name = "tiny_paired_folder_32x48_3steps"
    results = json.loads((tmp_path / "out" / f"{name}.json").read_text())
    assert results["protocol"].startswith("own-val-")
    assert results["protocol"].endswith("-32x48-v1")
    assert results["budget"]["trained_at"] == [32, 48]
    assert results["budget"]["steps"] == 3
    assert (tmp_path / "runs" / name / "pix2pix" / "last.safetensors").is_file()
    text = (tmp_path / "out" / f"{name}.md").read_text(encoding="utf-8")
    assert f"({name}.jpg)\n\n*Samples of paired_folder, then what each makes of them: pix2pix; at the end" in text
    # The input, the network's picture, the target.
    assert images.read(tmp_path / "docs" / f"{name}.jpg").shape[1] == 3 * 48 + 2 * 4


def test_results_on_another_ground_are_not_put_beside_the_committed(ground: ModuleType) -> None:
    longer = ground.Ground(steps=10)
    assert (longer.results, longer.pictures) == (ground.UNCOMMITTED, ground.UNCOMMITTED)
    assert (ground.COMMITTED.results, ground.COMMITTED.pictures) == (ground.RESULTS, ground.DOCS)
    assert ground.COMMITTED.suffix == ""
    assert ground.COMMITTED.link("a") == "../../docs/a.jpg"
    assert longer.link("a") == "a_10steps.jpg"


def test_rates_fall_after_the_same_part_and_crops_fit(ground: ModuleType) -> None:
    study = TrainConfig(CladeConfig(), "camvid", "", "", scale=(128, 160), crop=(64, 96), steps=300, constant_steps=200)
    moved = ground.Ground("facades", "", (64, 64), 900).moved(study)
    assert (moved.dataset, moved.scale, moved.crop) == ("facades", (64, 64), None)
    assert (moved.steps, moved.constant_steps) == (900, 600)
    assert ground.Ground(size=(96, 128)).moved(study).crop == (64, 96)


def test_void_is_numbered_as_in_the_data(ground: ModuleType) -> None:
    quality = importlib.import_module("clade_quality").CLADE_QUALITY
    labels = LabelSpec(ids=(1, 2, 3, 4, 5), names=tuple("abcde"))
    clade, pix2pix = quality.fitted(CladeConfig(), labels), quality.fitted(Pix2PixConfig(), labels)
    assert clade == CladeConfig(without_offsets=5)
    assert pix2pix == Pix2PixConfig()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "camvit"}, "no data set 'camvit'; there are paired_folder, "),
        ({"dataset": "facades"}, "--dataset facades: give --size HEIGHTxWIDTH too"),
        ({"protocol": "camvid-v9"}, "no protocol 'camvid-v9'"),
        ({"size": "32"}, "expected HEIGHTxWIDTH"),
        ({"size": "32x32,64x64"}, "expected one size"),
        ({"protocol": "maps-val-128x128-v1", "segmenter": Path("s.pt")}, "--segmenter is for segmentation, "),
    ],
)
def test_what_is_no_ground_is_refused(
    comparison: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(typer.Exit):
        run(comparison, tmp_path, **options)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_tables_of_msgunet_on_one_set(ground: ModuleType, comparison: Any, tmp_path: Path) -> None:
    tables = importlib.import_module("msgunet_tables")
    pairs = tmp_path / "pairs"
    (only,) = tables.sets_on(ground.Ground("paired_folder", size=(32, 48)), pairs)
    assert only.protocol.size == (32, 48)
    trials = tables.trials_on(only, pairs, ground.Ground("paired_folder", steps=30))
    assert {(trial.data, trial.scale, trial.steps) for trial in trials.values()} == {(str(pairs), (32, 48), 30)}
    assert tables.sets_on(ground.Ground(steps=30), tmp_path) == tables.SETS
    (named,) = tables.sets_on(ground.Ground("camvid", "camvid-val-v1", (32, 48)), pairs)
    assert (named.protocol.name, named.protocol.size) == ("camvid-val-32x48-v1", (32, 48))
    with pytest.raises(InputError, match=r"camvid-val-128x160-v1 is of pictures of \(128, 160\), got \(32, 48\)"):
        tables.sets_on(ground.Ground("camvid", "camvid-val-128x160-v1", (32, 48)), pairs)
    with pytest.raises(InputError, match="--dataset says which"):
        tables.sets_on(ground.Ground(size=(32, 48)), pairs)


def test_trials_of_another_ground_keep_all_else(ground: ModuleType) -> None:
    study = TrainConfig(Pix2PixConfig(), "camvid", "", "", scale=(128, 160), discriminator=PatchDiscriminatorConfig())
    moved = ground.Ground(size=(64, 64)).moved(study)
    assert moved == replace(study, scale=(64, 64), sheet_every=study.steps, validate_every=study.steps)


def test_the_protocol_follows_from_data_set_and_size_before_anything_is_trained(
    ground: ModuleType, comparison: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ground.Ground("maps", size=(128, 128)).protocol_for(tmp_path).name == "maps-val-128x128-v1"
    assert ground.Ground("facades", size=(64, 96)).protocol_for(tmp_path).name == "facades-mini-val-64x96-v1"
    with pytest.raises(InputError, match="--protocol says which: maps-val-256x256-v1, maps-val-128x128-v1"):
        ground.Ground("maps").protocol_for(tmp_path)
    with pytest.raises(typer.Exit):
        run(replace(comparison, ground=ground.Ground("maps"), protocol=""), tmp_path)
    assert "--protocol says which" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
