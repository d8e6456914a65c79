"""ASAP-Net's ablations: each changes one part, and all are trained, judged and shown."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import pytest
from tiny_comparison import judge_cheaply, run, shrunk


@pytest.fixture
def ablations() -> ModuleType:
    return importlib.import_module("ablations")


def test_each_changes_one_part(ablations: ModuleType) -> None:
    whole = asdict(ablations.VARIANTS["whole"])
    changes = [
        {name for name, value in asdict(variant).items() if value != whole[name]}
        for variant in ablations.VARIANTS.values()
    ]
    assert changes == [set(), {"pixel_code"}, {"constant_mlp"}, {"cell"}, {"cell"}]


def test_parts_are_trained_and_judged(ablations: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    judge_cheaply(monkeypatch, tmp_path / "scene.png")
    names = ("whole", "one MLP for all cells")
    some = replace(ablations.ABLATIONS, trials={name: ablations.ABLATIONS.trials[name] for name in names})
    sizes = {"width": 4, "max_width": 8, "num_blocks": 1, "mlp_width": 4, "mlp_depth": 2}
    tiny = shrunk(some, lambda model: replace(model, **sizes), tmp_path / "pairs")
    run(tiny, tmp_path)
    results = json.loads((tmp_path / "out" / "ablations.json").read_text())
    text = (tmp_path / "out" / "ablations.md").read_text(encoding="utf-8")
    for name, row in zip(names, results["rows"], strict=True):
        figures = row["figures"]
        assert f"| {name} | {figures['psnr']:.2f} | {figures['ssim']:.3f} | – | – | – |" in text
