"""Restorers trained alike, measured alike; the table and the plot say what the JSON says."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import typer
from tiny_model import save_tiny_model

from pixelwise import images
from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.data.bsd import bsd_gray_under
from pixelwise.data.degrade import GaussianNoise
from pixelwise.evaluation.protocol import Protocol, digest
from pixelwise.images import ImageSpec
from pixelwise.models.dncnn import DnCnn, DnCnnConfig

GREY = ImageSpec(channels=1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Grey pictures in the splits of Berkeley's."""
    random = np.random.default_rng(0)
    for split in ("train", "set12", "bsd68"):
        for name in "ab":
            coarse = random.integers(256, size=(5, 6, 1), dtype=np.uint8)
            images.write(tmp_path / "data" / split / f"{name}.png", np.kron(coarse, np.ones((8, 8, 1), np.uint8)))
    return tmp_path / "data"


@pytest.fixture
def dncnn(tmp_path: Path) -> Path:
    config = DnCnnConfig(image_channels=1, out_channels=1, width=2, depth=3)
    path = tmp_path / "dncnn.safetensors"
    save_checkpoint(path, DnCnn(config), manifest_for(config, ConditionSpec(image_channels=1), image=GREY, target=GREY))
    return path


@pytest.fixture
def restorers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = importlib.import_module("restorers")
    small = {"width": 2, "max_width": 4, "num_blocks": 1, "mlp_width": 4}
    names = ("pixel", "fine, window")
    monkeypatch.setattr(module, "CANDIDATES", {name: replace(module.CANDIDATES[name], **small) for name in names})
    monkeypatch.setattr(module, "STUDY", replace(module.STUDY, crop=(32, 32), batch_size=1, steps=2, device="cpu"))
    monkeypatch.setattr(module, "PHOTO", (32, 48))
    tiny = Protocol(
        "tiny-v1", bsd_gray_under(GaussianNoise(25, 25)), "bsd68", digest(("a", "b")), ("psnr", "ssim"), False, "little"
    )
    monkeypatch.setattr(module, "protocol_named", lambda name: tiny)
    return module


def test_candidates_are_trained_and_measured(restorers: ModuleType, data: Path, dncnn: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "out", tmp_path / "plot.png"
    restorers.main(dncnn, data, tmp_path / "runs", rounds=1, threads=1, out=out, plot=plot)
    results = json.loads((out / "restorers.json").read_text())
    rows = {row["name"]: row for row in results["rows"]}
    assert list(rows) == [*restorers.CLASSICAL, "DnCNN-S", "pixel", "fine, window"]
    assert rows["DnCNN-S"]["times_faster"] == 1
    # Averaging is better than the noise: 20.2 dB.
    assert rows["non-local means"]["scores"]["psnr"] > 24
    assert rows["fine, window"]["macs_per_pixel"] > rows["fine, window"]["pixelwise_macs_per_pixel"] > 0
    assert "macs_per_pixel" not in rows["total variation"]
    text = (out / "restorers.md").read_text(encoding="utf-8")
    for row in rows.values():
        assert f"| {row['name']} | {row['scores']['psnr']:.2f} | {row['scores']['ssim']:.4f} |" in text
    assert images.read(plot).shape[2] == 4


def test_models_that_were_trained_elsewhere_take_the_candidates_place(
    restorers: ModuleType, data: Path, dncnn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_tiny_model(
        tmp_path / "runs" / "mine" / "last.safetensors", ConditionSpec(image_channels=1), GREY, GREY, restores=True
    )
    options = {"rounds": 1, "threads": 1, "out": tmp_path / "out", "plot": tmp_path / "plot.png"}
    restorers.main(dncnn, data, tmp_path / "none", trained=[model], **options)
    results = json.loads((tmp_path / "out" / "restorers_trained.json").read_text())
    assert [row["name"] for row in results["rows"]] == [*restorers.CLASSICAL, "DnCNN-S", "mine"]
    assert "by an experiment of its own" in (tmp_path / "out" / "restorers_trained.md").read_text(encoding="utf-8")
    assert not (tmp_path / "none").exists()
    with pytest.raises(typer.Exit):
        restorers.main(dncnn, data, tmp_path / "none", trained=[dncnn], **options)
    assert "is of the family dncnn, expected asapnet" in capsys.readouterr().err


def test_an_engine_that_computes_something_else_is_refused(
    restorers: ModuleType,
    data: Path,
    dncnn: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    load = restorers.load

    def load_wrong(path: Path, device: str) -> object:
        translator = load(path, device)
        if translator.manifest.family == "asapnet":
            with torch.no_grad():
                translator.generator.stream.to_parameters.bias += 0.1
        return translator

    monkeypatch.setattr(restorers, "load", load_wrong)
    with pytest.raises(typer.Exit):
        restorers.main(
            dncnn, data, tmp_path / "runs", rounds=1, threads=1, out=tmp_path / "out", plot=tmp_path / "p.png"
        )
    assert "prepared for inference it is" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_frontier_is_what_nothing_surpasses(restorers: ModuleType) -> None:
    plot = importlib.import_module("restorers_plot")
    assert plot.frontier([(2, 5), (1, 3), (3, 4), (4, 6), (1, 2)]) == [(1, 3), (2, 5), (4, 6)]


def test_names_stand_a_line_apart(restorers: ModuleType) -> None:
    plot = importlib.import_module("restorers_plot")
    found = plot.spread([28.0, 27.9, 22.0, 28.1])
    assert found == pytest.approx([27.83, 27.56, 22.0, 28.1], abs=0.001)
