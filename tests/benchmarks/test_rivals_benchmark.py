"""ASAP-Net beside its rivals: shown equal first, then all in turns."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
import typer

from pixelwise.bench.families import FamilySubject
from pixelwise.bench.subject import random_network
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.pix2pix import Pix2PixConfig


@pytest.fixture
def rivals(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = importlib.import_module("rivals")
    tiny = AsapNetConfig(num_labels=5, out_channels=3, cell=8, width=8, max_width=16, num_blocks=1, mlp_width=16)
    rival = Pix2PixConfig(num_labels=5, out_channels=3, width=2, num_downsamplings=4)
    monkeypatch.setattr(module, "TURN", 0.01)
    monkeypatch.setattr(module, "build", lambda model, size: random_network(tiny))
    monkeypatch.setattr(module, "published_subjects", lambda names: [FamilySubject(names, lambda size: rival)])
    return module


def test_all_are_measured_at_every_size(rivals: ModuleType, tmp_path: Path) -> None:
    rivals.main("pix2pix", "torch", "32x48,64x64", rounds=1, threads=1, out=tmp_path)
    rows = json.loads((tmp_path / "rivals.json").read_text())["rows"]
    assert [(row["model"], row["size"]) for row in rows] == [
        ("asapnet, torch", [32, 48]), ("pix2pix", [32, 48]), ("asapnet, torch", [64, 64]), ("pix2pix", [64, 64]),
    ]  # fmt: skip
    text = (tmp_path / "rivals.md").read_text(encoding="utf-8")
    for ours, rival in (rows[:2], rows[2:]):
        assert ours["times_as_long"] == 1
        assert rival["times_as_long"] == pytest.approx(rival["seconds"]["median"] / ours["seconds"]["median"])
        assert f"| {rival['times_as_long']:.3g} |" in text


def test_an_engine_that_cannot_run_is_refused(
    rivals: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        rivals.main("pix2pix", "warp", "32x32", rounds=1, threads=1, out=tmp_path)
    assert "engine 'warp' is not one of" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
