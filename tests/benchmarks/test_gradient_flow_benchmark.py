"""Gradients are compared from the same weights and the same batches, and every weight is counted."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import typer

from pixelwise import images
from pixelwise.data.camvid import LABELS
from pixelwise.models.msgunet import MsgUNet


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random, root = np.random.default_rng(0), tmp_path / "camvid"
    for split in ("train", "val"):
        for name in "ab":
            labels = np.kron(random.integers(0, LABELS.num_channels, (6, 8)), np.ones((8, 8), np.int64))
            images.write_labels(root / split / "label" / f"{name}.png", labels, LABELS)
            images.write(root / split / "image" / f"{name}.png", random.integers(256, size=(48, 64, 3), dtype=np.uint8))
    return root


@pytest.fixture
def gradient_flow(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = importlib.import_module("gradient_flow")
    tiny = replace(
        module.STUDY,
        model=replace(module.STUDY.model, width=4, num_scales=2, num_downsamplings=2),
        discriminator=replace(module.STUDY.discriminator, width=4, num_scales=2),
        scale=(48, 64),
    )
    monkeypatch.setattr(module, "STUDY", tiny)
    return module


@pytest.fixture
def results(gradient_flow: ModuleType, data: Path, tmp_path: Path) -> dict[str, Any]:
    gradient_flow.main(data, steps=2, threads=1, out=tmp_path, sheets=tmp_path)
    found: dict[str, Any] = json.loads((tmp_path / "gradient_flow_2steps.json").read_text())
    return found


def layers_of(results: dict[str, Any], judged: str, step: int) -> dict[str, Any]:
    (row,) = (row for row in results["rows"] if (row["judged"], row["step"]) == (judged, step))
    return {layer["layer"]: layer for layer in row["layers"]}


def test_every_weight_is_counted(gradient_flow: ModuleType, results: dict[str, Any], tmp_path: Path) -> None:
    network = MsgUNet(replace(gradient_flow.STUDY.model, num_labels=LABELS.num_channels, out_channels=3))
    convolutions = sum(weight.numel() for weight in network.parameters() if weight.dim() == 4)
    assert len(results["rows"]) == 4
    for row in results["rows"]:
        assert all(sum(layer["histogram"]) == layer["weights"] for layer in row["layers"])
        assert all(np.all(np.diff(layer["quantiles"]) >= 0) for layer in row["layers"])
    *layers, together = layers_of(results, "all sizes", 0).values()
    assert sum(layer["weights"] for layer in layers) == convolutions
    of_pictures = sum(layer["weights"] for layer in layers if layer["layer"].startswith("to_picture"))
    assert together["weights"] == convolutions - of_pictures
    assert [layer["layer"] for layer in layers[:4]] == ["entry.0", "entry.1", "down.0", "fuse.0"]
    assert layers[-1]["layer"] == "to_picture.0"
    assert images.read(tmp_path / "gradient_flow_2steps.png").shape[2] == 4


def test_both_games_start_from_the_same_weights(results: dict[str, Any]) -> None:
    alone, together = (layers_of(results, judged, 0) for judged in ("full size only", "all sizes"))
    assert set(together) - set(alone) == {"to_picture.1"}
    # Only the picture of full size depends on these.
    for name in ("up.0", "refine.0", "to_picture.0"):
        assert alone[name]["quantiles"] == pytest.approx(together[name]["quantiles"], rel=1e-3)
    # Halfway, the smaller picture's gradients come on top.
    for name in ("entry.0", "down.2", "up.2"):
        assert together[name]["quantiles"][2] > 1.5 * alone[name]["quantiles"][2]


def test_the_table_says_what_was_found(results: dict[str, Any], tmp_path: Path) -> None:
    text = (tmp_path / "gradient_flow_2steps.md").read_text(encoding="utf-8")
    cells = ["all but to_picture", str(layers_of(results, "all sizes", 0)["all but to_picture"]["weights"])]
    for step in (0, 2):
        alone, together = (
            layers_of(results, judged, step)["all but to_picture"]["quantiles"][2]
            for judged in ("full size only", "all sizes")
        )
        cells += [f"{alone:.1e}", f"{together:.1e}", f"{together / alone:.1f}"]
    assert f"| {' | '.join(cells)} |" in text
    assert "after 2 steps" in text


def test_after_as_many_steps_as_committed_results_have_the_committed_name(
    gradient_flow: ModuleType, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradient_flow, "STEPS", 1)
    gradient_flow.main(data, steps=1, threads=1, out=tmp_path, sheets=tmp_path)
    assert {path.name for path in tmp_path.glob("*.*")} == {f"gradient_flow.{end}" for end in ("json", "md", "png")}


def test_data_that_are_not_there_are_refused(
    gradient_flow: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        gradient_flow.main(tmp_path / "nowhere", steps=1, threads=1, out=tmp_path / "out", sheets=tmp_path)
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
