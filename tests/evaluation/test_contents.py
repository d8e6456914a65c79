"""Files that have the names of a protocol's data, and those that are its data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_evaluation import tiny_protocol

from pixelwise import images
from pixelwise.atomic import write_text
from pixelwise.evaluation import PROTOCOLS, Comparison, Protocol, Setting, prepare
from pixelwise.evaluation.contents import found, list_path, list_text, recorded

SHARED = Path(__file__).parents[2] / "../shared/data"
OTHERS = "1 of 3 files, the first of them image/b, are not those that tiny-v1 was recorded with"


@pytest.fixture
def protocol(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Protocol:
    """One that was recorded with what is in ``data``."""
    monkeypatch.setattr("pixelwise.evaluation.contents._LISTS", tmp_path / "recorded")
    recording = replace(tiny_protocol(rounded=True), contents="tiny")
    write_text(list_path("tiny"), list_text(found(recording.data.layout(data, "val"))))
    return recording


def paint_over(data: Path) -> None:
    images.write(data / "set12" / "b.png", np.full((40, 60, 1), 7, np.uint8))


def test_other_files_of_the_same_names_are_told(protocol: Protocol, data: Path) -> None:
    assert protocol.caveat(data) is None
    paint_over(data)
    assert str(protocol.caveat(data)).startswith(OTHERS)
    assert replace(protocol, contents="").caveat(data) is None


def test_every_figure_of_other_files_says_so(
    protocol: Protocol,
    data: Path,
    model: Path,
    tmp_path: Path,
    pixelwise_command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("pixelwise.evaluation.protocols.PROTOCOLS", {protocol.name: protocol})
    paint_over(data)
    out = tmp_path / "scores.json"
    assert pixelwise_command("evaluate", model, "--protocol", "tiny-v1", "--data", data, "--out", out) == 0
    printed = capsys.readouterr()
    assert f"note: {OTHERS}" in printed.err
    assert f"\n{OTHERS}" in printed.out
    assert json.loads(out.read_text())[0]["caveats"][0].startswith(OTHERS)
    report = Comparison(prepare(Setting(protocol, data)), tmp_path / "report", "cpu").run([str(model)])
    assert report["remarks"][0].startswith(OTHERS)


def test_every_list_that_protocols_name_is_there() -> None:
    assert all(recorded(protocol.contents) for protocol in PROTOCOLS.values() if protocol.contents)


@pytest.mark.skipif(not SHARED.is_dir(), reason="research data are not shipped")
@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("bsd68-gray-sigma25-v1", "bsd_gray"),
        ("set12-gray-sigma25-v1", "bsd_gray"),
        ("cbsd68-color-sigma25-v1", "bsd_color"),
        ("camvid-val-240x320-v1", "camvid"),
        ("camvid-labels-val-v1", "camvid"),
        ("facades-mini-val-v1", "facades_mini"),
        ("maps-val-256x256-v1", "maps"),
        ("nyu-depth-val-v1", "nyu_depth"),
        ("nyu-photo-val-v1", "nyu_depth"),
    ],
)
def test_published_data_are_those_that_were_recorded(name: str, folder: str) -> None:
    assert PROTOCOLS[name].contents
    assert PROTOCOLS[name].caveat(SHARED / folder) is None
