"""A report's files are there whole or not at all, and without its packages the rest of pixelwise works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

import pytest
from made_up_results import results, write_results

from pixelwise.errors import InputError
from pixelwise.evaluation.report import read_results, write_plots, write_report, writing


def test_a_page_and_tables_are_written(tmp_path: Path) -> None:
    path = write_results(tmp_path, results())
    assert write_report(path, tmp_path) == tmp_path / "report.html"
    written = [(tmp_path / name).read_bytes() for name in ("report.html", "report.md")]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "report.html",
        "report.json",
        "report.md",
    ]
    write_report(read_results(path), tmp_path)
    assert [(tmp_path / name).read_bytes() for name in ("report.html", "report.md")] == written


def test_results_that_are_wrong_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("{}")
    with pytest.raises(InputError, match=r"report.json: 'protocol' is missing"):
        write_report(path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    path = write_results(tmp_path, results())
    page = write_report(path, tmp_path)
    page.write_text("before")
    with full_disk(20_000), pytest.raises(OSError, match="File too large"):
        write_report(path, tmp_path)
    assert page.read_text() == "before"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("write", [write_report, write_plots])
def test_what_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., object]
) -> None:
    path = write_results(tmp_path, results())
    monkeypatch.setattr(writing, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    with pytest.raises(InputError, match=r"a report needs matplotlib: pip install 'pixelwise\[report\]'"):
        write(path, tmp_path)


def test_they_are_not_imported_before_they_are_needed() -> None:
    drawn = [f"pixelwise.evaluation.report.{name}" for name in ("plots", "drawing", "html_page")]
    code = f"import sys, pixelwise.evaluation.report; sys.exit(any(name in sys.modules for name in {drawn}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
