"""CLADE's Tables II and III: parameters are the paper's; the parts' times add up; the tables say what the JSON says."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
import typer
from torch import nn

from pixelwise.models import FAMILIES

PAPER_MILLIONS = {
    "ade20k": (68.1, {"spade": 28.4, "clade": 3.3}),
    "cityscapes": (67.1, {"spade": 25.9, "clade": 0.8}),
    "coco_stuff": (68.4, {"spade": 29.1, "clade": 4.1}),
}
"""Table III: of the backbone, and of the normalisation layers."""


@pytest.fixture
def cost() -> ModuleType:
    return importlib.import_module("clade_cost")


@pytest.fixture
def narrow(cost: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def narrowed(family: str) -> object:
        published = {
            name: replace(one, config=replace(one.config, width=2), size=(64, 64))  # type: ignore[type-var]
            for name, one in FAMILIES[family].published.items()
        }
        return replace(FAMILIES[family], published=published)

    monkeypatch.setattr(cost, "family_named", narrowed)


@pytest.mark.parametrize("dataset", PAPER_MILLIONS)
@pytest.mark.parametrize("family", ["spade", "clade"])
def test_parameters_are_the_papers(cost: ModuleType, family: str, dataset: str) -> None:
    with torch.device("meta"):
        generator = FAMILIES[family].generator(FAMILIES[family].published[dataset].config)
    backbone, layers = PAPER_MILLIONS[dataset]
    found = cost.parameters(generator)
    assert found["backbone"] / 1e6 == pytest.approx(backbone, abs=0.1)
    assert found["normalisation"] / 1e6 == pytest.approx(layers[family], abs=0.1)
    assert found["whole"] == found["backbone"] + found["normalisation"]


@pytest.mark.usefixtures("narrow")
def test_both_sides_and_their_parts_are_measured(cost: ModuleType, tmp_path: Path) -> None:
    cost.main("ade20k,cityscapes", rounds=1, threads=1, out=tmp_path)
    rows = json.loads((tmp_path / "clade_cost.json").read_text())["rows"]
    assert [(row["dataset"], row["family"]) for row in rows] == [
        ("ade20k", "spade"), ("ade20k", "clade"), ("cityscapes", "spade"), ("cityscapes", "clade"),
    ]  # fmt: skip
    assert all(0 <= row["error"] <= 1e-4 for row in rows)
    medians = [
        {side: {part: seconds["median"] for part, seconds in parts.items()} for side, parts in row["seconds"].items()}
        for row in rows
    ]
    for sides in medians:
        for parts in sides.values():
            assert min(parts.values()) > 0
            assert parts["whole"] == pytest.approx(parts["backbone"] + parts["normalisation"])
    text = (tmp_path / "clade_cost.md").read_text(encoding="utf-8")
    for dataset, (spade, clade) in {"ade20k": medians[:2], "cityscapes": medians[2:]}.items():
        for side in ("plain", "prepared"):
            (line,) = [line for line in text.splitlines() if line.startswith(f"| {dataset}, {side} |")]
            assert f" | {spade[side]['whole'] / clade[side]['whole']:.2f} | " in line
    for row, sides in zip(rows, medians, strict=True):
        name = f"{row['dataset']}, {row['family'].upper()}, prepared"
        (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
        share = sides["prepared"]["normalisation"] / sides["prepared"]["whole"]
        assert line.endswith(f"| {100 * share:.0f} % |")


def test_layers_are_timed_apart_from_the_rest(cost: ModuleType) -> None:
    """A slow layer counts among its own, and its hooks are gone after the run."""
    config = replace(FAMILIES["clade"].published["ade20k"].config, width=2)  # type: ignore[type-var]
    generator = FAMILIES["clade"].generator(config).eval()
    slow = torch.randn(600, 600)
    cost.normalisations(generator)[0].norm.register_forward_pre_hook(
        lambda *_: [slow @ slow for _ in range(50)] and None
    )
    with torch.inference_mode():
        whole, backbone, layers = cost.seconds_by_part(generator, cost.condition_for(config, (32, 32)))
    assert whole == pytest.approx(backbone + layers)
    assert layers > backbone
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in cost.normalisations(generator))


@pytest.mark.usefixtures("narrow")
def test_sides_that_differ_are_refused(
    cost: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoilt(generator: nn.Module) -> nn.Module:
        next(iter(generator.parameters())).data += 0.1
        return generator

    monkeypatch.setattr(importlib.import_module("preparation"), "folded", spoilt)
    with pytest.raises(typer.Exit):
        cost.main("ade20k", rounds=1, threads=1, out=tmp_path)
    assert "prepared it is" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ("ade20k,ade", "'ade', but for ade20k, coco_stuff, cityscapes"),
        ("ade20k,", "'', but for ade20k, coco_stuff, cityscapes"),
        ("ade20k, ade20k", "--datasets ade20k, ade20k: names ade20k more than once"),
    ],
)
def test_what_is_no_list_of_data_sets_is_refused_before_the_work(
    cost: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    datasets: str,
    message: str,
) -> None:
    measured: list[str] = []
    monkeypatch.setattr(cost, "measure", lambda dataset, rounds: measured.append(dataset) or [])
    with pytest.raises(typer.Exit):
        cost.main(datasets, rounds=1, threads=1, out=tmp_path)
    assert message in capsys.readouterr().err
    assert not measured


def test_a_list_of_data_sets_may_have_spaces(cost: ModuleType) -> None:
    assert cost.read_datasets("ade20k, cityscapes") == ["ade20k", "cityscapes"]
