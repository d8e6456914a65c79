"""CLADE's Tables I, IV, VI and VII: networks whose costs are to each other as the paper's; each table has its rows."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tiny_comparison import judge_cheaply, run, shrunk

from pixelwise import machine
from pixelwise.bench.families import condition_for
from pixelwise.metrics.complexity import count_macs
from pixelwise.models import family_of
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.pix2pixhd import Pix2PixHdConfig

ROWS = {
    "Table I": ["pix2pixHD", "CC-FPSE", "DAGAN", "SPADE", "CLADE", "CLADE-ICPE"],
    "Table IV": ["SPADE-light", "CLADE"],
    "Table VI": [
        "C(1-7)", "S(1)+C(2-7)", "S(1-2)+C(3-7)", "S(1-4)+C(5-7)", "S(1-5)+C(6-7)", "S(1-6)+C(7)", "S(1-7)",
    ],
    "Table VII": ["baseline", "+disti", "+distf", "+distp"],
}  # fmt: skip


@pytest.fixture
def quality() -> ModuleType:
    return importlib.import_module("clade_quality")


def macs(config: GeneratorConfig) -> int:
    config = replace(config, num_labels=12, out_channels=3)  # type: ignore[type-var]
    return count_macs(family_of(config).generator(config).eval(), condition_for(config, (64, 64))).total


def narrowed(model: GeneratorConfig) -> GeneratorConfig:
    few = {"num_blocks": 1} if isinstance(model, Pix2PixHdConfig) else {"hidden": 2}
    return replace(model, width=2, **few)  # type: ignore[type-var]


def test_trials_differ_in_their_networks_alone(quality: ModuleType) -> None:
    assert {name: trial.model for name, trial in quality.CLADE_QUALITY.trials.items()} == quality.NETWORKS
    assert {replace(trial, model=quality.STUDY.model) for trial in quality.CLADE_QUALITY.trials.values()} == {
        quality.STUDY
    }
    assert len(set(quality.NETWORKS.values())) == 14


def test_costs_are_to_each_other_about_as_in_the_paper(quality: ModuleType) -> None:
    found = {name: macs(quality.NETWORKS[name]) for name in ROWS["Table I"]}
    paper = {"pix2pixHD": 99.3, "CC-FPSE": 438.2, "DAGAN": 186.1, "CLADE": 42.2, "CLADE-ICPE": 42.2}
    for name, published in paper.items():
        assert found[name] / found["SPADE"] == pytest.approx(published / 181.3, rel=0.2)


def test_no_lighter_spade_is_nearer_to_clade(quality: ModuleType) -> None:
    light = quality.NETWORKS["SPADE-light"]
    clade = macs(quality.NETWORKS["CLADE"])
    distances = {width: abs(macs(replace(light, width=width, hidden=2 * width)) - clade) for width in range(2, 9)}
    assert min(distances, key=distances.__getitem__) == light.width


def test_a_table_of_what_was_trained(quality: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    judge_cheaply(monkeypatch, tmp_path / "scene.png")
    shown = {"baseline": "CLADE", "+distp": "CLADE-ICPE"}
    trials = {name: quality.CLADE_QUALITY.trials[name] for name in shown.values()}
    some = replace(quality.CLADE_QUALITY, trials=trials, tables=(replace(quality.TABLE_7, rows=shown),))
    tiny = shrunk(some, narrowed, tmp_path / "pairs")
    run(tiny, tmp_path)
    results = json.loads((tmp_path / "out" / "clade_quality.json").read_text())
    text = (tmp_path / "out" / "clade_quality.md").read_text(encoding="utf-8")
    for name, row in zip(shown, results["rows"], strict=True):
        assert row["name"] == shown[name]
        seconds = f"{1000 * row['seconds']['median']:.1f}"
        assert f"| {name} | – | {row['macs']['total'] / 1e9:.2f} | {seconds} |" in text
    assert "_time.png" not in text, "nothing was found that a plot could show"


def test_every_table_has_its_rows(quality: ModuleType) -> None:
    trials = quality.CLADE_QUALITY.trials
    rows = [made_up(name, number) for number, name in enumerate(trials)]
    real = {"mean_iou": 0.5, "pixel_accuracy": 0.75, "frechet_segmenter_train": 3.0}
    told = {"protocol": "made-up", "what": "", "samples": 1, "rounds": 1, "real": real, "rows": rows}
    told |= {"names_sha256": "", "targets_sha256": ""}
    budget = importlib.import_module("trials").budget(trials)
    text = quality.markdown({**machine.circumstances(), **told, "budget": budget})
    sections = {part.partition(":")[0]: part for part in text.split("\n## ")[1:]}
    assert {title: named(section) for title, section in sections.items()} == {
        title: [*names, "real photos"] for title, names in ROWS.items()
    }
    number = {name: list(trials).index(name) for name in ("SPADE", "CLADE-ICPE")}
    assert f"| S(1-7) | {number['SPADE']}.0 |" in sections["Table VI"]
    assert f"| +distp | {number['CLADE-ICPE']}.0 |" in sections["Table VII"]
    assert "1000 crops of pictures of camvid at 64×96 (500 steps of 2)" in text


def made_up(name: str, number: int) -> dict[str, Any]:
    figures = {"mean_iou": number / 100, "pixel_accuracy": 0.5, "frechet_segmenter_train": float(number)}
    seconds = {"median": 1.0, "lower_quartile": 1.0, "upper_quartile": 1.0, "repeats": 1}
    cost = {"parameters": 1, "macs": {"total": 1}, "seconds": seconds, "training_memory": None}
    return {"name": name, "figures": figures, **cost}


def named(section: str) -> list[str]:
    """What the rows of a section's table are called."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]]
