"""The plot of time against resolution, from made-up results."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image


@pytest.fixture
def plot() -> ModuleType:
    return importlib.import_module("families_plot")


def results(**seconds: dict[tuple[int, int], float]) -> dict[str, object]:
    rows = [
        {"model": name, "size": size, "seconds": {"median": median}}
        for name, sizes in seconds.items()
        for size, median in sizes.items()
    ]
    return {"rows": rows, "machine": {"cpu": "a machine"}, "threads": 2, "date": "2026-11-21T00:00:00"}


SMALL = results(asapnet={(8, 8): 0.1, (8, 16): 0.3}, spade={(8, 8): 1.0}, sims={(8, 8): 9.0})
LARGE = results(asapnet={(16, 16): 0.2}, spade={(16, 16): 0.21})


def test_lines_are_of_square_pictures_of_models_in_all_files(plot: ModuleType) -> None:
    assert plot.seconds_by_side([LARGE, SMALL]) == {"asapnet": {8: 0.1, 16: 0.2}, "spade": {8: 1.0, 16: 0.21}}


def test_names_are_kept_apart(plot: ModuleType) -> None:
    placed = plot.apart({"a": 1.0, "b": 1.01, "c": 1.02, "d": 5.0})
    assert placed["a"] == 1.0
    assert placed["d"] == 5.0
    assert placed["b"] / placed["a"] == pytest.approx(placed["c"] / placed["b"])
    assert placed["b"] > 1.2


def test_the_command_draws(plot: ModuleType, tmp_path: Path) -> None:
    paths = []
    for name, content in (("small", SMALL), ("large", LARGE)):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(content))
    plot.main(paths, tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as image:
        assert image.size[0] > 500
