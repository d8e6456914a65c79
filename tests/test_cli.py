"""The command line: what it prints, where, and its exit status."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, save_tiny_model
from tiny_pairs import draw, write_pairs

import pixelwise
from pixelwise import images
from pixelwise.checkpoint import read_manifest
from pixelwise.condition import Condition
from pixelwise.training import TrainConfig
from pixelwise.training.step import Diverged
from pixelwise.translate import Translator

GOLDEN = Path(__file__).parent / "golden" / "asapnet.npz"
FIELDS = {
    "num_labels": 7, "instance_edges": True, "out_channels": 3, "cell": 8, "learned_reduction": 4, "width": 8,
    "max_width": 32, "num_blocks": 2, "mlp_width": 16,
}  # fmt: skip
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
def model(tmp_path: Path) -> Path:
    return save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)


def output_and_modules(*arguments: str | Path) -> tuple[str, set[str]]:
    """What a command prints, and what it has imported at its end."""
    lines = "import sys; from pixelwise.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", lines, *map(str, arguments)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return output, set(output.splitlines()[-1].split())


def test_help_does_not_wait_for_torch() -> None:
    output, modules = output_and_modules("--help")
    assert "translate" in output
    assert not {"torch", "numpy", "PIL"} & modules


def test_translate_does_not_wait_for_what_measures_or_compiles(model: Path, tmp_path: Path) -> None:
    images.write(tmp_path / "a.png", np.zeros((8, 8), np.uint8))
    output, modules = output_and_modules("translate", tmp_path / "a.png", "--model", model, "--out", tmp_path / "b.png")
    assert "1 of 1 translated" in output
    assert not {"torchmetrics", "scipy", "matplotlib"} & modules
    assert not {"torch._dynamo", "sympy", "triton"} & modules


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

    def counted(self: Translator, condition: Condition, *view: object) -> torch.Tensor:
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
    translate, num_started = Translator.translate, itertools.count()

    def interrupted(self: Translator, condition: Condition, *view: object) -> torch.Tensor:
        if next(num_started):
            raise KeyboardInterrupt
        return translate(self, condition)

    monkeypatch.setattr(Translator, "translate", interrupted)
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
        (("check", ".", "--dataset", "facade"), "no data set 'facade'; there are paired_folder, facades, "),
        (("check", ".", "--dataset", "facades"), "holds no split of facades; there is no train/label, no train/image"),
        (("check", ".", "--dataset", "camvid", "--spec", "x.json"), "give either a spec or the name of a data set"),
        (("train", "nowhere.py"), "nowhere.py: no such experiment file"),
        (("adopt", "asapnet", "no.pth", "--published", "facades512", "--out", "o"), "o: a checkpoint's name ends in"),
        (("adopt", "asapnet", "no.pth", "--published", "facades512", "--out", "o.safetensors"), "no.pth: no such file"),
        (("adopt", "asapnet", "bomb.pth", "--published", "facades512", "--out", "o.safetensors"), "could run code"),
        (("adopt", "spode", "bomb.pth", "--published", "x", "--out", "o.safetensors"), "no family 'spode'"),
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
    (tmp_path / "fields.json").write_text(json.dumps(FIELDS))
    out = tmp_path / "adopted.safetensors"
    assert pixelwise_command("adopt", "asapnet", GOLDEN, "--config", tmp_path / "fields.json", "--out", out) == 0
    assert capsys.readouterr().out.startswith(f"wrote {out}: asapnet, adopted from asapnet.npz")
    assert read_manifest(out).config["num_labels"] == 7


def test_adopt_replaces_nothing_unasked(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fields.json").write_text(json.dumps(FIELDS))
    (out := tmp_path / "mine.safetensors").write_bytes(b"trained for weeks")
    command = ("adopt", "asapnet", GOLDEN, "--config", tmp_path / "fields.json", "--out", out)
    assert pixelwise_command(*command) == 1
    assert f"{out} is there already, and may be replaced with --overwrite only" in capsys.readouterr().err
    assert out.read_bytes() == b"trained for weeks"
    assert pixelwise_command(*command, "--overwrite") == 0
    assert read_manifest(out).family == "asapnet"
