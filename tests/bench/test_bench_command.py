"""`pixelwise bench`: what it prints and writes, and when it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_model import LABEL_MODEL, save_tiny_model

from pixelwise.bench.peaks import Peaks
from pixelwise.render import ENGINES
from pixelwise.render.engine import Engine
from pixelwise.render.reference import render_reference

Command = Callable[..., int]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("pixelwise.bench.measurement.measure_peaks", lambda *_: Peaks({"fp32": 100.0}, None, 10.0))
    return save_tiny_model(tmp_path / "tiny.safetensors", LABEL_MODEL)


def arguments(model: Path, *more: object) -> tuple[object, ...]:
    return ("bench", "--model", model, "--sizes", "8x16", "--repeats", 1, "--no-memory", *more)


def test_it_prints_tables_and_writes_json(
    pixelwise_command: Command, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "speed.json"
    threads = torch.get_num_threads()
    try:
        assert pixelwise_command(*arguments(model, "--engines", "reference", "--threads", 1, "--out", out)) == 0
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr()
    assert f"{model}, 8x16" in printed.err
    assert "| 8×16 | reference |" in printed.out
    results = json.loads(out.read_text())
    assert (results["threads"], [row["engine"] for row in results["rows"]]) == (1, ["plain", "reference"])
    assert out.with_suffix(".md").read_text(encoding="utf-8") == printed.out


def test_it_refuses_to_time_what_is_wrong(
    pixelwise_command: Command,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Engine(lambda *arguments: render_reference(*arguments) + 0.01)
    monkeypatch.setitem(ENGINES, "wrong", wrong)  # type: ignore[arg-type]
    assert pixelwise_command(*arguments(model, "--out", tmp_path / "speed.json")) == 1
    printed = capsys.readouterr()
    assert "refused: engine 'wrong' in fp32 is 0.01 off the plain path" in printed.err
    assert printed.out == ""
    assert not (tmp_path / "speed.json").exists()


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (("--engines", "steam"), "engine 'steam' is not one of"),
        (("--sizes", "big"), "sizes 'big': expected HEIGHTxWIDTH"),
        (("--model", "nobody"), "nobody: neither a file nor a bundled model"),
        (("--out", "speed.txt"), "speed.txt: the results are JSON"),
        (("--out", __file__ + "/speed.json"), "speed.json: cannot be written"),
        (("--device", "abacus"), "device abacus: not available"),
    ],
)
def test_bad_input_is_named(
    pixelwise_command: Command, model: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], text: str
) -> None:
    assert pixelwise_command(*arguments(model, *more)) == 1
    assert text in capsys.readouterr().err
