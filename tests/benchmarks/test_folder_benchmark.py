"""The benchmark of folders runs, and its table says what its JSON says. Times are not judged."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def folder() -> ModuleType:
    return importlib.import_module("folder")


def test_a_quick_run_writes_json_and_a_table(folder: ModuleType, tmp_path: Path) -> None:
    folder.main(models="street", threads=1, quick=True, out=tmp_path)
    results = json.loads((tmp_path / "folder.json").read_text())
    assert results["threads"] == 1
    assert results["plan"] == {"count": 4, "portion": 2, "side": 64}
    (row,) = results["rows"]
    assert (row["model"], row["size"]) == ("street", [64, 64])
    speeds = row["images_per_second"]
    assert row["of_the_model"] == pytest.approx(speeds["folder"] / speeds["model"])
    assert row["of_the_model_by_portion"]["repeats"] == 2
    assert row["read_seconds"]["repeats"] == row["write_seconds"]["repeats"] == 4
    assert row["file_bytes"] > 0
    text = (tmp_path / "folder.md").read_text(encoding="utf-8")
    assert f"| street | 64×64 | {speeds['model']:.1f} | {speeds['folder']:.1f} | {row['of_the_model']:.2f} |" in text


def test_maps_are_all_different_and_of_the_size_asked_for(folder: ModuleType, tmp_path: Path) -> None:
    translator = folder.load("street", "cpu")
    planned = folder.draw_maps(tmp_path, translator, folder.SCENES / "street", folder.Plan(count=30, side=32))
    maps = [translator.read_condition(job.source).labels for job in planned]
    assert {tuple(labels.shape) for labels in maps} == {(1, 32, 32)}
    assert len({labels.numpy().tobytes() for labels in maps}) == 30


def test_a_picture_that_fails_stops_the_measurement(folder: ModuleType, tmp_path: Path) -> None:
    translator = folder.load("street", "cpu")
    plan = folder.Plan(count=2, portion=2, side=32)
    planned = folder.draw_maps(tmp_path, translator, folder.SCENES / "street", plan)
    planned[1].destination.mkdir(parents=True)
    with pytest.raises(SystemExit, match=r"0001\.png"):
        folder.measure_in_turns(translator, planned, portion_size=2)
