"""Side by side means after the same images, all of them; the table says what the JSON says."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import typer
from tiny_pairs import draw, write_pairs

from pixelwise import images
from pixelwise.training import train
from pixelwise.training.experiment import read_experiment

EXPERIMENT = """
from pixelwise.losses.objective import Objective
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.spade import SpadeConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model={model}, objective=Objective(adversarial=None, l1=1.0, feature_matching=0.0, perceptual=0.0),
    dataset="paired_folder", data={data!r}, out={out!r}, scale=(32, 48), batch_size=2, steps={steps},
    validation_samples=1, device="cpu",
)
"""
PIX2PIX, SPADE = "Pix2PixConfig(width=2, num_downsamplings=4, dropout=0.5)", "SpadeConfig(width=2)"


@dataclass
class Runs:
    """A folder of experiments, and where their runs go."""

    folder: Path

    def add(self, name: str, model: str, steps: int = 1) -> None:
        data, out = str(self.folder / "pairs"), f"runs/compare_{name}"
        text = EXPERIMENT.format(model=model, data=data, out=out, steps=steps)
        (self.folder / f"compare_{name}.py").write_text(text)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    write_pairs(tmp_path / "pairs")
    monkeypatch.chdir(tmp_path)
    runs = Runs(tmp_path)
    runs.add("pix2pix", PIX2PIX)
    runs.add("spade", SPADE)
    return runs


@pytest.fixture
def side_by_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    module = importlib.import_module("side_by_side")
    monkeypatch.setattr(importlib.import_module("trials"), "SCENES", (draw(tmp_path / "scene.png", (64, 96)),))
    return module


def test_what_was_trained_is_measured_and_shown(side_by_side: ModuleType, runs: Runs) -> None:
    for path in sorted(runs.folder.glob("compare_*.py")):
        train(read_experiment(path))
    side_by_side.main(runs.folder, runs.folder, threads=1, out=runs.folder / "out", sheet=runs.folder / "sheet.png")
    results = json.loads((runs.folder / "out" / "side_by_side.json").read_text())
    assert (results["images_seen"], results["size"]) == (2, [32, 48])
    assert [row["family"] for row in results["rows"]] == ["pix2pix", "spade"]
    assert {row["validation_samples"] for row in results["rows"]} == {4}
    text = (runs.folder / "out" / "side_by_side.md").read_text(encoding="utf-8")
    for row in results["rows"]:
        assert f"| {row['scores']['psnr']:.3f} | {row['scores']['ssim']:.3f} |" in text
    sheet = images.read(runs.folder / "sheet.png")
    assert sheet.shape == (32, 3 * 48 + 2 * 4, 3)


def test_unfinished_runs_are_refused(side_by_side: ModuleType, runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted(runs.folder.glob("compare_*.py")):
        train(read_experiment(path))
    for name, model in {
        "pix2pix": "Pix2PixConfig(width=2, num_downsamplings=4)",
        "spade": "SpadeConfig(width=2)",
    }.items():
        runs.add(name, model, steps=3)
    with pytest.raises(typer.Exit):
        side_by_side.main(runs.folder, runs.folder, threads=1, out=runs.folder / "out", sheet=runs.folder / "sheet.png")
    assert "is at step 1 of 3" in capsys.readouterr().err
    assert not (runs.folder / "out").exists()


def test_runs_that_saw_different_images_are_refused(
    side_by_side: ModuleType, runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.add("spade", SPADE, steps=2)
    with pytest.raises(typer.Exit):
        side_by_side.main(runs.folder, runs.folder, threads=1, out=runs.folder / "out", sheet=runs.folder / "sheet.png")
    assert "differ in steps: 1, 2" in capsys.readouterr().err
