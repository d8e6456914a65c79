"""The command line: what it prints, where, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, LABELS, save_tiny_model

import pixelwise
from pixelwise import images
from pixelwise.checkpoint import read_manifest
from pixelwise.cli import main
from pixelwise.condition import Condition
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.training import TrainConfig
from pixelwise.training.step import Diverged
from pixelwise.translate import Translator

GOLDEN = Path(__file__).parent / "golden" / "asapnet.npz"
EXPERIMENT = """
from pixelwise.losses.objective import Objective
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=AsapNetConfig(cell=4, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2),
    objective=Objective(adversarial=None, perceptual=0.0, l1=1.0),
    dataset="paired_folder", data={data!r}, out={out!r}, steps=9, device="cpu",
)
"""

Command = Callable[..., int]


@pytest.fixture
def pixelwise_command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command and returns its exit status."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["pixelwise", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)


def draw(path: Path, size: tuple[int, int] = (8, 8)) -> Path:
    images.write_labels(path, np.random.default_rng(0).integers(0, LABELS.num_channels, size), LABELS)
    return path


def write_pairs(folder: Path) -> Path:
    for split in ("train", "val"):
        for index in range(4):
            draw(folder / split / "label" / f"{index}.png", (16, 16))
            images.write(folder / split / "image" / f"{index}.png", np.full((16, 16, 3), 60 * index, np.uint8))
    (folder / "spec.json").write_text(json.dumps(FolderSpec(labels=LABELS).to_json()))
    return folder


def test_help_does_not_wait_for_torch() -> None:
    lines = "import sys; from pixelwise.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", lines, "--help"], capture_output=True, text=True, check=True).stdout
    assert "translate" in output
    assert not {"torch", "numpy", "PIL"} & set(output.splitlines()[-1].split())


def test_version(pixelwise_command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert pixelwise_command("--version") == 0
    assert capsys.readouterr().out.strip() == pixelwise.__version__


def test_translate_says_how_many_and_how_fast(
    pixelwise_command: Command, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b/c.png"):
        draw(tmp_path / "in" / name)
    out = tmp_path / "out"
    status = pixelwise_command("translate", tmp_path / "in", "--model", model, "--out", out, "--format", "npy")
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    assert printed.out.startswith(f"2 of 2 translated to {out}: ")
    assert "ms per image" in printed.out
    assert "ms per megapixel" in printed.out
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == ["a.npy", "b/c.npy"]


def test_translate_names_failures_at_the_end(
    pixelwise_command: Command, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = draw(tmp_path / "in" / "good.png"), tmp_path / "in" / "[bold]:smile: bad.png"
    bad.write_bytes(good.read_bytes()[:40])
    assert pixelwise_command("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("1 of 2 translated")
    assert printed.err.startswith(f"failed: {bad}: cannot be read")
    assert len(printed.err.splitlines()) == 1
    assert pixelwise_command("translate", good, "--model", model, "--out", tmp_path / "out") == 1
    assert "good.png is there already, and may be replaced with --overwrite only" in capsys.readouterr().err
    assert pixelwise_command("translate", good, "--model", model, "--out", tmp_path / "out", "--overwrite") == 0


def test_translate_takes_instance_maps_and_batches(
    pixelwise_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL)
    for name in ("a.png", "b.png"):
        draw(tmp_path / "in" / name)
        images.write(tmp_path / "ids" / name, np.eye(8, dtype=np.uint8))
    lengths, translate = [], Translator.translate

    def counted(self: Translator, condition: Condition) -> torch.Tensor:
        lengths.append(len(condition))
        return translate(self, condition)

    monkeypatch.setattr(Translator, "translate", counted)
    where = ("--model", model, "--out", tmp_path / "out", "--instances", tmp_path / "ids")
    assert pixelwise_command("translate", tmp_path / "in", *where, "--batch-size", 2) == 0
    assert lengths == [2]


def test_translate_that_is_interrupted_says_what_it_did(
    pixelwise_command: Command,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        draw(tmp_path / "in" / name)
    write = images.write

    def interrupted(path: Path, array: np.ndarray) -> None:
        if path.name == "b.png":
            raise KeyboardInterrupt
        write(path, array)

    monkeypatch.setattr(images, "write", interrupted)
    assert pixelwise_command("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out") == 130
    assert capsys.readouterr().out.startswith("1 of 3 translated")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_threads_are_torch_s(
    pixelwise_command: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    where = ("--model", model, "--out", tmp_path / "out")
    assert pixelwise_command("translate", draw(tmp_path / "a.png"), *where, "--threads", 3) == 0
    assert asked == [3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("translate", "nowhere", "--model", "model.safetensors", "--out", "out"), "nowhere: no such file or folder"),
        (("translate", "a.png", "--model", "nobody", "--out", "out"), "nobody: neither a file nor a bundled model"),
        (("translate", "a.png", "--model", "broken.safetensors", "--out", "out"), "not a complete safetensors file"),
        (("translate", "a.png", "--model", "model.safetensors", "--out", "o", "--format", "gif"), "cannot write"),
        (("translate", "a.png", "--model", "model.safetensors", "--out", "o", "--device", "x"), "device x: not"),
        (("check", "nowhere"), "nowhere: no such folder"),
        (("check", ".", "--spec", "nowhere.json"), "nowhere.json: no such file"),
        (("train", "nowhere.py"), "nowhere.py: no such experiment file"),
        (("adopt", "asapnet", "nowhere.pth", "--published", "facades512", "--out", "o"), "nowhere.pth: no such file"),
        (("adopt", "asapnet", "bomb.pth", "--published", "facades512", "--out", "o"), "could run code"),
        (("adopt", "spade", "bomb.pth", "--published", "x", "--out", "o"), "no family 'spade'"),
    ],
)  # fmt: skip
def test_what_a_user_can_put_right_is_one_line(
    pixelwise_command: Command,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "a.png")
    Path("broken.safetensors").write_bytes(model.read_bytes()[:99])
    torch.save({"weight": pytest.raises}, "bomb.pth")
    assert pixelwise_command(*arguments) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.startswith("error: ")
    assert len(printed.err.splitlines()) == 1


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
    broken.write_bytes(broken.read_bytes()[:300])
    command = [sys.executable, "-m", "pixelwise.cli", "check", str(tmp_path / "é")]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"{tmp_path}/\\xe9/label/a.tif: cannot be read" in ended.stdout


def test_check_takes_a_spec_from_elsewhere(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_pairs(tmp_path / "data")
    spec = (data / "spec.json").rename(tmp_path / "other.json")
    assert pixelwise_command("check", data) == 0
    content = json.loads(spec.read_text())
    content["images"] = {"image": {"channels": 1}}
    spec.write_text(json.dumps(content))
    assert pixelwise_command("check", data, "--spec", spec) == 1
    assert "16x16x3 uint8, expected 1 channels" in capsys.readouterr().out


def test_train_overrides_fields(
    pixelwise_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = tmp_path / "mine.py"
    experiment.write_text(EXPERIMENT.format(data="data", out="runs/mine"))
    started: list[TrainConfig] = []

    def start(config: TrainConfig) -> Path:
        started.append(config)
        return Path("last.safetensors")

    monkeypatch.setattr("pixelwise.training.train", start)
    assert pixelwise_command("train", experiment, "--batch-size", 2, "--no-flip", "--crop", "8x16") == 0
    assert capsys.readouterr().out == "wrote last.safetensors\n"
    (config,) = started
    assert (config.batch_size, config.flip, config.crop, config.steps) == (2, False, (8, 16), 9)
    assert pixelwise_command("train", experiment, "--betch-size", 2) == 1
    assert "no flag '--betch-size'; an experiment has --dataset, " in capsys.readouterr().err
    assert pixelwise_command("train", experiment, "--help") == 0
    assert "--steps 9\n    optimiser steps in all." in capsys.readouterr().out
    assert len(started) == 1


def test_train_that_diverges_is_one_line(
    pixelwise_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(config: TrainConfig) -> Path:
        raise Diverged("step 3: l1 is nan; the names of the batch are in diverged_0.json")

    monkeypatch.setattr("pixelwise.training.train", start)
    experiment = tmp_path / "mine.py"
    experiment.write_text(EXPERIMENT.format(data="data", out="runs/mine"))
    assert pixelwise_command("train", experiment) == 1
    assert capsys.readouterr().err == "diverged: step 3: l1 is nan; the names of the batch are in diverged_0.json\n"


def test_a_user_s_first_minutes_check_train_translate(
    pixelwise_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Importing TensorBoard takes longer than this run.
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    data, run = write_pairs(tmp_path / "data"), tmp_path / "run"
    experiment = tmp_path / "mine.py"
    experiment.write_text(EXPERIMENT.format(data=str(data), out=str(run)))
    assert pixelwise_command("check", data) == 0
    assert pixelwise_command("train", experiment, "--steps", 2, "--constant-steps", 1, "--batch-size", 2) == 0
    where = ("--model", run / "last.safetensors", "--out", tmp_path / "out")
    assert pixelwise_command("translate", data / "val" / "label", *where) == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 4


def test_adopt_writes_a_checkpoint(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields: dict[str, Any] = {
        "num_labels": 7, "instance_edges": True, "out_channels": 3, "cell": 8, "learned_reduction": 4, "width": 8,
        "max_width": 32, "num_blocks": 2, "mlp_width": 16,
    }  # fmt: skip
    (tmp_path / "fields.json").write_text(json.dumps(fields))
    out = tmp_path / "adopted.safetensors"
    assert pixelwise_command("adopt", "asapnet", GOLDEN, "--config", tmp_path / "fields.json", "--out", out) == 0
    assert capsys.readouterr().out.startswith(f"wrote {out}: asapnet, adopted from asapnet.npz")
    assert read_manifest(out).config["num_labels"] == 7
