"""Rivals plain and prepared: shown equal first, then in turns."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import typer
from torch import nn

from pixelwise.models import FAMILIES


@pytest.fixture
def preparation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = importlib.import_module("preparation")
    monkeypatch.setattr(module, "SUBJECTS", module.SUBJECTS[:3])

    def narrow(family: str) -> object:
        published = {
            name: replace(one, config=replace(one.config, width=2)) for name, one in FAMILIES[family].published.items()
        }
        return replace(FAMILIES[family], published=published)

    monkeypatch.setattr(module, "family_named", narrow)
    return module


def test_both_sides_and_the_offsets_are_measured(preparation: ModuleType, tmp_path: Path) -> None:
    preparation.main("64x64", rounds=2, threads=1, out=tmp_path)
    rows = json.loads((tmp_path / "preparation.json").read_text())["rows"]
    assert [row["model"] for row in rows] == [", ".join(subject) for subject in preparation.SUBJECTS]
    assert all(0 <= row["error"] <= preparation.TOLERANCE for row in rows)
    assert [set(row["seconds"]) - {"plain", "prepared"} for row in rows] == [set(), set(), {"offsets"}]
    text = (tmp_path / "preparation.md").read_text(encoding="utf-8")
    spade, clade, _ = ({side: times["median"] for side, times in row["seconds"].items()} for row in rows)
    assert f"| {spade['plain'] / spade['prepared']:.2f} |" in text
    assert f"CLADE is {spade['prepared'] / clade['prepared']:.2f} times as fast as SPADE" in text


def test_sides_that_differ_are_refused(
    preparation: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoilt(generator: nn.Module) -> nn.Module:
        weights = next(iter(generator.parameters()))
        weights.data += 0.1
        return generator

    monkeypatch.setattr(preparation, "folded", spoilt)
    with pytest.raises(typer.Exit):
        preparation.main("64x64", rounds=1, threads=1, out=tmp_path)
    assert "prepared it is" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
