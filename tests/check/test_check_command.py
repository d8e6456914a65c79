"""`pixelwise check`: what it prints, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_pairs import write_pairs

from pixelwise import images

Command = Callable[..., int]


def test_check_reports_for_people_and_machines(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_pairs(tmp_path / "data")
    assert pixelwise_command("check", data) == 0
    assert capsys.readouterr().out.endswith("no problems\n")
    (data / "train" / "image" / "2.png").unlink()
    assert pixelwise_command("check", data, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert [problem["file"] for problem in report["problems"]] == [f"{data}/train/label/2.png"]


def test_names_that_the_terminal_cannot_show_and_readers_remarks_do_no_harm(tmp_path: Path) -> None:
    broken = tmp_path / "é" / "label" / "a.tif"
    images.write(broken, np.zeros((8, 8), np.uint8))
    broken.write_bytes(broken.read_bytes()[:200])
    command = [sys.executable, "-m", "pixelwise", "check", str(tmp_path / "é")]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"{tmp_path}/\\xe9/label/a.tif: cannot be read" in ended.stdout


def test_check_takes_a_spec_from_elsewhere(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_pairs(tmp_path / "data")
    spec = (data / "spec.json").rename(tmp_path / "other.json")
    assert pixelwise_command("check", data, "--spec", spec) == 0
    assert pixelwise_command("check", data) == 1
    content = json.loads(spec.read_text())
    content["images"] = {"image": {"channels": 1}}
    spec.write_text(json.dumps(content))
    assert pixelwise_command("check", data, "--spec", spec) == 1
    assert "16x16x3 uint8, expected 1 channels" in capsys.readouterr().out


def test_check_reads_published_layouts_by_name(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, name, content in (
        ("gtFine", "labelIds", np.full((8, 8), 7, np.uint8)),
        ("gtFine", "instanceIds", np.full((8, 8), 7, np.uint16)),
        ("leftImg8bit", "", np.zeros((8, 8, 3), np.uint8)),
    ):
        images.write(tmp_path / folder / "val" / "ulm" / f"a_{folder}{'_' if name else ''}{name}.png", content)
    assert pixelwise_command("check", tmp_path) == 1
    assert (
        "looks like cityscapes, for it has leftImg8bit and gtFine: use --dataset cityscapes" in capsys.readouterr().err
    )
    assert pixelwise_command("check", tmp_path, "--dataset", "cityscapes") == 0
    assert "val: 1 samples (1 label, 1 inst, 1 image)" in capsys.readouterr().out
    (photo,) = (tmp_path / "leftImg8bit").rglob("*.png")
    photo.write_bytes(b"")
    assert pixelwise_command("check", tmp_path, "--dataset", "cityscapes", "--json") == 1
    assert [problem["file"] for problem in json.loads(capsys.readouterr().out)["problems"]] == [str(photo)]
