"""Trials are alike, trained once, and judged alike; the tables say what the JSON says."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from tiny_comparison import judge_cheaply, run, shrunk

from pixelwise import images, machine
from pixelwise.errors import InputError
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.spade import SpadeConfig
from pixelwise.training import TrainConfig

NETWORKS = {"pix2pix": Pix2PixConfig(width=2, num_downsamplings=4), "SPADE, 1/32": SpadeConfig(width=2, hidden=4)}


@pytest.fixture
def trials() -> ModuleType:
    return importlib.import_module("trials")


@pytest.fixture
def page(trials: ModuleType) -> ModuleType:
    return importlib.import_module("trained_comparison")


@pytest.fixture
def comparison(page: ModuleType, tmp_path: Path) -> Any:
    study = {name: TrainConfig(model, "", "", "") for name, model in NETWORKS.items()}
    whole = page.TableSpec((page.figure("psnr"), page.PARAMETERS), text="All of them.")
    columns = (page.figure("ssim"), page.MACS, page.TIME, page.TRAINING_MEMORY)
    part = page.TableSpec(columns, {"S": "SPADE, 1/32"}, "Only one", "It is SPADE.")
    made = page.TrainedComparison("tiny", "Two networks", "Which is it?", study, "camvid-val-v1", (whole, part))
    return shrunk(made, lambda model: model, tmp_path / "pairs")


def test_what_was_trained_is_judged_in_all_tables(
    comparison: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = judge_cheaply(monkeypatch, tmp_path / "scene.png")
    run(comparison, tmp_path)
    results = json.loads((tmp_path / "out" / "tiny.json").read_text())
    pix2pix, spade = results["rows"]
    assert [row["name"] for row in results["rows"]] == list(NETWORKS)
    assert [(type(config), config.num_labels) for config in asked] == [(Pix2PixConfig, 4), (SpadeConfig, 4)]
    assert results["budget"]["images_seen"] == 4
    assert results["real"] is None
    text = (tmp_path / "out" / "tiny.md").read_text(encoding="utf-8")
    assert text.startswith("# Two networks\n\n")
    first, second = text.split("\n\n## Only one\n\nIt is SPADE.\n\n")
    for row in (pix2pix, spade):
        assert f"| {row['name']} | {row['figures']['psnr']:.2f} | {row['parameters'] / 1e6:.2f} |" in first
    cells = [
        f"{spade['figures']['ssim']:.3f}",
        f"{spade['macs']['total'] / 1e9:.2f}",
        f"{1000 * spade['seconds']['median']:.1f}",
        "2",
    ]
    table, plot, shown = second.split("\n\n![")
    assert plot.endswith("docs/tiny_time.png)")
    assert images.read(tmp_path / "docs" / "tiny_time.png").shape[2] == 4
    assert table.splitlines()[2:] == [f"| S | {' | '.join(cells)} |"]
    assert "docs/tiny.jpg)\n\n*Label maps" in shown
    assert f": {'; '.join(NETWORKS)}.*" in shown
    assert images.read(tmp_path / "docs" / "tiny.jpg").shape == (32, 3 * 32 + 2 * 4, 3)


def test_with_other_versions_all_is_judged_anew(
    comparison: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    judge_cheaply(monkeypatch, tmp_path / "scene.png")
    run(comparison, tmp_path)
    versions = machine.versions() | {"pillow": "0"}
    monkeypatch.setattr(machine, "versions", lambda: versions)
    run(comparison, tmp_path)
    assert len([*tmp_path.glob("runs/tiny/judged/*/report.json")]) == 2


def test_trained_only_nothing_is_measured(comparison: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    judge_cheaply(monkeypatch, tmp_path / "scene.png")
    run(comparison, tmp_path, train_only=True)
    assert sorted(path.parent.name for path in tmp_path.glob("runs/tiny/*/last.safetensors")) == [
        "SPADE__1_32",
        "pix2pix",
    ]
    assert not (tmp_path / "out").exists()


def test_what_will_be_missing_is_said_before_anything_is_trained(
    page: ModuleType,
    comparison: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def training(*_: object) -> None:
        raise InputError("the training would begin")

    judge_cheaply(monkeypatch, tmp_path / "scene.png")
    monkeypatch.setattr(page, "train_all", training)
    with pytest.raises(typer.Exit):
        run(comparison, tmp_path)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith("note: segmentation is not measured: no segmentation scores: no segmenter was given")
    assert last == "refused: the training would begin"
    with pytest.raises(typer.Exit):
        run(comparison, tmp_path, segmenter=tmp_path / "typo.safetensors")
    told = capsys.readouterr().err
    assert "typo.safetensors" in told
    assert "the training would begin" not in told


def test_real_photos_stand_where_pictures_are_judged(page: ModuleType) -> None:
    row = {"name": "a", "figures": {"mean_iou": 0.25}, "parameters": 2_000_000}
    spec = page.TableSpec((page.figure("mean_iou"), page.PARAMETERS))
    lines = page.trials_table({"rows": [row], "real": {"mean_iou": 0.75}}, spec).splitlines()
    assert lines[2:] == ["| a | 25.0 | 2.00 |", "| real photos | 75.0 |  |"]
    unjudged = page.trials_table({"rows": [row], "real": {"seams_8": 1.0}}, spec).splitlines()
    assert unjudged[2:] == ["| a | 25.0 | 2.00 |"]


@pytest.mark.parametrize("field", ["scale", "steps", "seed"])
def test_trials_that_are_not_alike_are_refused(trials: ModuleType, comparison: Any, tmp_path: Path, field: str) -> None:
    first, second = comparison.trials
    changed = replace(comparison.trials[second], **{field: {"scale": (32, 32), "steps": 3, "seed": 1}[field]})
    with pytest.raises(InputError, match=f"the trials differ in {field}: "):
        trials.train_all({first: comparison.trials[first], second: changed}, tmp_path)
    assert not list(tmp_path.glob("**/last.safetensors"))


def test_data_that_are_not_there_are_refused(
    comparison: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        comparison.main(tmp_path / "nowhere", runs=tmp_path / "runs", threads=1, out=tmp_path / "out")
    assert "refused: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
