"""The benchmark of large pictures runs, and refuses pictures that are not those made whole."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tifffile
import typer

from pixelwise import images


@pytest.fixture
def large() -> ModuleType:
    return importlib.import_module("large")


def test_a_small_run_writes_json_and_a_table(large: ModuleType, tmp_path: Path) -> None:
    large.main("street", large.SCENES / "street" / "avenue.png", "70", compared_side=64, threads=1, out=tmp_path)
    results = json.loads((tmp_path / "large.json").read_text())
    (row,) = results["rows"]
    assert row["size"] == [70, 70]
    # A process that has imported torch, and some memory beside.
    assert 5e7 < row["peak_bytes"] < 5e9
    assert results["compared"]["levels_apart"] <= 1
    text = (tmp_path / "large.md").read_text(encoding="utf-8")
    assert f"| 70×70 | {row['seconds']:.1f} | " in text


def test_a_map_is_the_scene_enlarged(large: ModuleType, tmp_path: Path) -> None:
    scene = large.SCENES / "street" / "avenue.png"
    large.write_map(tmp_path / "map.tif", scene, 600)
    ids, enlarged = images.read_ids(scene), tifffile.imread(tmp_path / "map.tif")
    assert enlarged.shape == (600, 600)
    assert enlarged[599, 599] == ids[-1, -1]
    assert set(np.unique(enlarged)) == set(np.unique(ids))


def test_another_picture_is_refused(
    large: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def black(model: str, source: Path, out: Path, threads: int) -> tuple[float, int]:
        tifffile.imwrite(out, np.zeros((64, 64, 3), np.uint8), photometric="rgb")
        return 1.0, 1

    monkeypatch.setattr(large, "translate", black)
    with pytest.raises(typer.Exit):
        large.main("street", large.SCENES / "street" / "avenue.png", "70", compared_side=64, threads=1, out=tmp_path)
    assert "refused: 64x64: by rows the picture differs" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
