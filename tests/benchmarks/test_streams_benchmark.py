"""The benchmark of streams runs and what it writes adds up. Times are not judged."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
import typer
from PIL import Image

from pixelwise.models.asapnet import AsapNetConfig


def tiny(cell: int) -> AsapNetConfig:
    return AsapNetConfig(num_labels=3, out_channels=3, cell=cell, width=4, max_width=8, num_blocks=1, mlp_width=4)


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr("pixelwise.bench.growth.full_size", tiny)
    return importlib.import_module("streams")


def test_both_streams_are_measured_and_drawn(streams: ModuleType, tmp_path: Path) -> None:
    plot = tmp_path / "streams.png"
    streams.main("64,128", engines="torch", rounds=1, threads=1, device="cpu", out=tmp_path, plot=plot)
    results = json.loads((tmp_path / "streams.json").read_text())
    assert [(row["engine"], row["size"], row["cell"]) for row in results["rows"]] == [
        ("torch", [64, 64], 4),
        ("torch", [128, 128], 8),
    ]
    row = results["rows"][0]
    share = row["pixelwise_seconds"] / (row["stream_seconds"] + row["pixelwise_seconds"])
    assert f"| {100 * share:.0f} % |" in (tmp_path / "streams.md").read_text(encoding="utf-8")
    with Image.open(plot) as picture:
        assert picture.width >= picture.height > 200


@pytest.mark.parametrize(("sides", "engines"), [("64,wide", "torch"), ("64", "steam")])
def test_what_cannot_be_measured_is_refused(
    streams: ModuleType, tmp_path: Path, sides: str, engines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "streams.png"
    with pytest.raises(typer.Exit):
        streams.main(sides, engines=engines, rounds=1, threads=1, device="cpu", out=tmp_path, plot=plot)
    assert "refused: " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
