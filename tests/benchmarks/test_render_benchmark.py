"""The benchmark of engines runs, refuses what is wrong, and what it writes can be drawn. Times are not judged."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
import typer
from PIL import Image
from tiny_model import INSTANCE_MODEL, save_tiny_model

from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.render import ENGINES
from pixelwise.render.engine import Engine
from pixelwise.render.reference import render_reference

MOST_BYTES = 60_000


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a file of benchmarks/."""
    torch.set_num_threads(1)
    return importlib.import_module


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(save_tiny_model(tmp_path / "tiny.safetensors", INSTANCE_MODEL))


def tiny(cell: int) -> AsapNetConfig:
    return AsapNetConfig(num_labels=3, out_channels=3, cell=cell, width=4, max_width=8, num_blocks=1, mlp_width=4)


def run(render: ModuleType, **options: object) -> None:
    defaults = {"engines": "", "sizes": "", "repeats": 0, "threads": 1, "device": "cpu"}
    render.main(**{**defaults, "memory": False, "growth": False, "keep_memory": False, "quick": True, **options})


def test_growth_has_results_of_its_own(
    benchmark: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelwise.bench.growth.full_size", tiny)
    out = tmp_path / "growth.json"
    run(benchmark("render"), models="full-size", engines="reference", growth=True, out=out)
    assert len(json.loads(out.read_text())["rows"]) == 4
    assert "| reference | 64×64 |" in out.with_suffix(".md").read_text(encoding="utf-8")


def test_a_quick_run_writes_json_and_tables_and_both_can_be_drawn(
    benchmark: Callable[[str], ModuleType], model: str, tmp_path: Path
) -> None:
    out = tmp_path / "results" / "render.json"
    run(benchmark("render"), models=model, sizes="16x32", memory=True, engines="reference", out=out)

    results = json.loads(out.read_text())
    assert [(row["engine"], row["size"]) for row in results["rows"]] == [("plain", [16, 32]), ("reference", [16, 32])]
    for row in results["rows"]:
        assert row["memory_bytes"] is None or row["memory_bytes"] >= 0
    assert "| times faster than plain | 16×32 |" in out.with_suffix(".md").read_text(encoding="utf-8")

    benchmark("render_plots").main(out, out=tmp_path / "docs", model=model)
    pictures = sorted((tmp_path / "docs").iterdir())
    assert [path.name for path in pictures] == ["render_peak.png", "render_time.png"]
    for path in pictures:
        assert path.stat().st_size < MOST_BYTES
        with Image.open(path) as picture:
            assert picture.width > picture.height > 300


def test_it_refuses_an_engine_that_is_wrong(
    benchmark: Callable[[str], ModuleType],
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = Engine(lambda *arguments: -render_reference(*arguments))
    monkeypatch.setitem(ENGINES, "wrong", wrong)  # type: ignore[arg-type]
    with pytest.raises(typer.Exit) as ended:
        run(benchmark("render"), models=model, out=tmp_path / "render.json")
    assert ended.value.exit_code == 1
    assert "refused: engine 'wrong' in fp32 is" in capsys.readouterr().err
    assert not (tmp_path / "render.json").exists()


def test_what_is_measured_is_the_full_size_and_all_that_ships(benchmark: Callable[[str], ModuleType]) -> None:
    assert benchmark("render").MODELS == ("full-size", "facades", "street")


def test_a_model_without_rows_cannot_be_drawn(benchmark: Callable[[str], ModuleType], tmp_path: Path) -> None:
    (tmp_path / "render.json").write_text('{"rows": []}')
    with pytest.raises(typer.BadParameter, match="no rows of 'full-size'"):
        benchmark("render_plots").main(tmp_path / "render.json", out=tmp_path, model="full-size")
