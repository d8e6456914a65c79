"""The table of DnCNN's published weights, on random ones and tiny pictures."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import typer

from pixelwise import images
from pixelwise.evaluation import protocol_named
from pixelwise.models.dncnn import PUBLISHED, DnCnn, as_published


@pytest.fixture
def dncnn(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = importlib.import_module("dncnn")
    monkeypatch.setattr(
        module, "protocol_named", lambda name: replace(protocol_named(name), names_digest="", contents="")
    )
    return module


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {}
    for name in ("s15", "s25", "s50", "b"):
        config = PUBLISHED[name].config
        paths[name] = tmp_path / f"{name}.npz"
        weights = as_published(DnCnn(config).state_dict(), config)
        np.savez(paths[name], **{key: tensor.numpy() for key, tensor in weights.items()})
    return paths


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("bsd68", "set12"):
        images.write(tmp_path / "data" / name / "1.png", random.integers(0, 256, (24, 24), np.uint8))
    return tmp_path / "data"


def test_every_case_is_judged_by_its_protocol(
    dncnn: ModuleType, files: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    dncnn.main(**files, data=data, runs=tmp_path / "runs", threads=1, out=tmp_path / "out")
    results = json.loads((tmp_path / "out" / "dncnn.json").read_text())
    assert [row["protocol"] for row in results["rows"]] == [case.protocol for case in dncnn.CASES]
    assert len({row["psnr"] for row in results["rows"]}) == len(dncnn.CASES)
    page = (tmp_path / "out" / "dncnn.md").read_text()
    assert page == dncnn.markdown(results)
    row = results["rows"][0]
    assert f"| {row['psnr']:.3f} | 31.71 | {row['psnr'] - 31.71:+.3f} |" in page


def test_weights_of_another_depth_are_refused(
    dncnn: ModuleType, files: dict[str, Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        dncnn.main(**{**files, "b": files["s15"]}, data=data, runs=tmp_path / "runs", out=tmp_path / "out")
    assert "s15.npz: the weights do not fit" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
