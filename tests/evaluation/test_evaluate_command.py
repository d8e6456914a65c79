from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_evaluation import tiny_protocol
from tiny_model import LABEL_MODEL, save_tiny_model
from tiny_pairs import write_pairs

from pixelwise import machine
from pixelwise.evaluation.own_data import own_protocol

Command = Callable[..., int]


@pytest.fixture(autouse=True)
def _tiny_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.evaluation.protocols.PROTOCOLS", {"tiny-v1": tiny_protocol()})


def test_models_side_by_side(
    pixelwise_command: Command, model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(model.read_bytes())
    out = tmp_path / "new" / "scores.json"
    models = ("--model", model, "--model", other)
    assert pixelwise_command("evaluate", *models, "--protocol", "tiny-v1", "--data", data, "--out", out) == 0
    first, second = json.loads(out.read_text())
    assert first["versions"] == machine.versions()
    assert first["figures"] == second["figures"]
    mean = first["figures"]["psnr"]
    printed = capsys.readouterr().out
    assert f"| model | {mean:.2f} |" in printed
    assert f"| other | {mean:.2f} |" in printed


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--protocol", "bsd", "no protocol 'bsd'; there are tiny-v1"),
        ("--data", "nowhere", "nowhere/set12: no such folder"),
        ("--model", "nothing.safetensors", "nothing.safetensors"),
    ],
)
def test_what_cannot_be_measured_is_said(
    pixelwise_command: Command,
    model: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    message: str,
) -> None:
    options = {"--model": model, "--protocol": "tiny-v1", "--data": data, option: value}
    assert pixelwise_command("evaluate", *(part for pair in options.items() for part in pair)) == 1
    assert message in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    pixelwise_command: Command, model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("evaluate", model, "--protocol", "tiny-v1", "--data", data, "--out")
    assert pixelwise_command(*command, data) == 1
    printed = capsys.readouterr()
    assert f"{data}: is a folder, expected a file's name" in printed.err
    assert printed.out == ""


def test_what_was_measured_is_said_even_if_it_cannot_be_written(
    pixelwise_command: Command,
    model: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    full_disk: Callable[[int], AbstractContextManager[None]],
) -> None:
    with full_disk(10):
        command = ("evaluate", model, "--protocol", "tiny-v1", "--data", data, "--out", tmp_path / "scores.json")
        assert pixelwise_command(*command) == 1
    assert "| model |" in capsys.readouterr().out
    assert not (tmp_path / "scores.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--split", "train"), "--split train: tiny-v1 measures on val; --split is of pairs of your own"),
        (("--processes", 8), "--processes says how models are measured for a --report"),
        (("--no-memory",), "--no-memory says how models are measured for a --report"),
        (("--no-memory", "--write-statistics", "s"), "--no-memory says how models are measured"),
        (("--report", "r", "--write-statistics", "s"), "--report r: there is none with --write-statistics, which meas"),
        (("--segmenter", "s.pt"), "--segmenter is for segmentation, segmenter_features; tiny-v1 measures none of"),
        (("--weights", "."), "--weights is for lpips_alex, lpips_squeeze, lpips_vgg, inception_published, inception_"),
        (("--download", "--report", "r"), "--download is for lpips_alex"),
    ],
)
def test_options_without_effect_are_refused(
    pixelwise_command: Command,
    model: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[object, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert pixelwise_command("evaluate", model, "--protocol", "tiny-v1", "--data", data, *options) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_what_would_help_is_advised_and_nothing_else(
    pixelwise_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    pairs = write_pairs(tmp_path / "pairs")
    model = save_tiny_model(tmp_path / "labels.safetensors", LABEL_MODEL)
    weights, segmenter = "--weights FOLDER says where", "--segmenter FILE gives"

    def advice(*measures: str, options: tuple[object, ...] = ()) -> str:
        own = replace(own_protocol(pairs, "val"), name="given-v1", measures=measures)
        monkeypatch.setattr("pixelwise.evaluation.protocols.PROTOCOLS", {"given-v1": own})
        assert pixelwise_command("evaluate", model, "--data", pairs, "--protocol", "given-v1", *options) == 0
        return capsys.readouterr().err.splitlines()[-1]

    for measures in (("lpips_alex", "l1"), ("segmentation", "l1"), ("lpips_alex", "segmentation", "l1")):
        told = advice(*measures)
        assert (weights in told, segmenter in told) == ("lpips_alex" in measures, "segmentation" in measures)
    assert weights not in advice("lpips_alex", "segmentation", options=("--weights", tmp_path))


def test_own_pairs_may_be_shown_less(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = write_pairs(tmp_path / "pairs")
    model = save_tiny_model(tmp_path / "labels.safetensors", LABEL_MODEL)
    own = own_protocol(pairs, "train").name
    command = ("evaluate", model, "--data", pairs, "--split", "train", "--protocol")
    assert pixelwise_command(*command, f"{own}-from8x4") == 0
    assert capsys.readouterr().out.startswith(f"{own}-from8x4: 4 pictures; ")
    assert pixelwise_command(*command, "own-train-12345678-v1-from8x4") == 1
    assert f"the pairs in {pairs} are those of {own}" in capsys.readouterr().err
