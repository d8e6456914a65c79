"""The table of seams, of a tiny model's pictures."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
import typer
from tiny_model import LABEL_MODEL, save_tiny_model
from tiny_pairs import write_pairs

from pixelwise.data.paired_folder import paired_folder
from pixelwise.evaluation.protocol import Protocol


@pytest.fixture
def seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = importlib.import_module("seams")
    write_pairs(tmp_path / "data" / "pairs")
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, cell=8)
    tiny = Protocol("tiny-v1", paired_folder, "val", "", (), True, "little")
    monkeypatch.setattr(module, "CASES", (module.Case(str(model), tiny.name, "pairs"),))
    monkeypatch.setattr(module, "protocol_named", {tiny.name: tiny}.__getitem__)
    return module


def test_photos_and_both_ways_are_judged(seams: ModuleType, tmp_path: Path) -> None:
    seams.main(data=tmp_path / "data", threads=1, out=tmp_path / "out")
    results = json.loads((tmp_path / "out" / "seams.json").read_text())
    photos, nearest, bilinear = results["rows"]
    assert [row["parameters"] for row in results["rows"]] == ["real photos", "nearest, as trained", "bilinear"]
    # The photos are flat; nearest parameters change at the borders of cells.
    assert photos["seams"] == 1 != nearest["seams"]
    assert photos["psnr"] is None
    assert nearest["seams"] != bilinear["seams"]
    assert nearest["psnr"] != bilinear["psnr"]
    page = (tmp_path / "out" / "seams.md").read_text()
    assert page == seams.markdown(results)
    assert f"| bilinear | {bilinear['seams']:.3f} | {bilinear['psnr']:.2f} | {bilinear['ssim']:.3f} |" in page


def test_missing_data_are_told(seams: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        seams.main(data=tmp_path / "elsewhere", out=tmp_path / "out")
    assert "elsewhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
