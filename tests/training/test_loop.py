from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_run import NUM_TRAIN, NUM_VALIDATION, SIDE, WHITE, WITHOUT_ADVERSARY, poisoned

from pixelwise import images
from pixelwise.checkpoint import load_checkpoint, read_manifest
from pixelwise.contact_sheet import GAP
from pixelwise.data import DATASETS
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.training import TrainConfig, train
from pixelwise.training.step import Diverged, update_generator


def records(config: TrainConfig) -> list[dict[str, float]]:
    return [json.loads(line) for line in (Path(config.out) / "log.jsonl").read_text().splitlines()]


def contents(config: TrainConfig, name: str = "last.safetensors") -> bytes:
    return (Path(config.out) / name).read_bytes()


def test_a_run_leaves_checkpoints_sheets_and_a_log(config: TrainConfig):
    last = train(config)
    folder = Path(config.out)
    assert last == folder / "last.safetensors"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["last.safetensors", "best.safetensors", "state.pt", "log.jsonl", "sheets"]
    )
    assert sorted(path.name for path in (folder / "sheets").iterdir()) == ["step_0000003.png", "step_0000006.png"]
    sheet = images.read(folder / "sheets" / "step_0000003.png")
    side = config.crop[0] + GAP
    assert sheet.shape == (NUM_VALIDATION * side - GAP, 3 * side - GAP, 3)
    assert [record["step"] for record in records(config)] == [1, 3, 6]
    assert set(records(config)[-1]) == {
        *("step", "adversarial", "feature_matching", "l1", "discriminator"),
        *("validation/psnr", "validation/ssim"),
    }


def test_a_checkpoint_says_where_it_comes_from(config: TrainConfig):
    manifest = read_manifest(train(replace(config, licence="terms")))
    assert (manifest.family, manifest.weights, manifest.licence, manifest.step) == ("asapnet", "ema", "terms", 6)
    assert manifest.source.endswith(f"on {NUM_TRAIN} samples of facades")
    assert manifest.metrics == {name: records(config)[-1][f"validation/{name}"] for name in ("psnr", "ssim")}
    assert manifest.spec.labels.num_classes == 5
    assert (manifest.image, manifest.target) == (None, ImageSpec())
    assert read_manifest(train(replace(config, out=f"{config.out}_raw", ema_decay=0.0))).weights == "raw"


def test_the_best_checkpoint_is_that_of_the_best_validation(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    scores = iter([0.1, 0.3, 0.2, 0.3])
    monkeypatch.setattr("pixelwise.training.loop.validation_scores", lambda *_: {"ssim": next(scores)})
    train(replace(config, steps=4, validate_every=1))
    manifest = read_manifest(Path(config.out) / "best.safetensors")
    assert (manifest.step, manifest.metrics) == (2, {"ssim": 0.3})


def test_equal_seeds_make_equal_runs(config: TrainConfig):
    same, other = replace(config, out=f"{config.out}_same"), replace(config, out=f"{config.out}_other", seed=1)
    for run in (config, same, other):
        train(run)
    assert contents(config) == contents(same)
    assert contents(config) != contents(other)


def test_training_changes_nothing_but_the_run(config: TrainConfig):
    """Numbers drawn before a run do not matter to it."""
    train(config)
    torch.rand(3)
    again = replace(config, out=f"{config.out}_again")
    train(again)
    assert contents(config) == contents(again)


def test_the_same_loop_trains_without_an_adversary(config: TrainConfig):
    config = replace(config, objective=WITHOUT_ADVERSARY, learning_rate=1e-2, ema_decay=0.0, steps=40, flip=False)
    train(config)
    assert set(records(config)[0]) == {"step", "l1"}
    assert records(config)[-1]["l1"] < 0.8 * records(config)[0]["l1"]


def test_a_finished_run_stays_as_it_is(config: TrainConfig):
    before = train(config).stat().st_mtime_ns
    assert train(config).stat().st_mtime_ns == before


def test_a_finished_run_goes_on_when_it_gets_more_steps_and_larger_crops(config: TrainConfig):
    train(config)
    last = train(replace(config, steps=8, crop=(SIDE, SIDE), batch_size=4))
    assert read_manifest(last).step == 8
    assert [record["step"] for record in records(config)] == [1, 3, 6, 7, 8]


def test_ctrl_c_ends_after_the_step_and_loses_nothing(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    apart = replace(config, out=str(tmp_path / "stopped"), save_every=100)
    steps = iter(range(100))
    handler = signal.getsignal(signal.SIGINT)

    def interrupted(*arguments: object) -> object:
        if next(steps) == 3:
            signal.raise_signal(signal.SIGINT)
        return update_generator(*arguments)

    monkeypatch.setattr("pixelwise.training.loop.update_generator", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(apart)
    monkeypatch.undo()
    assert "stopped and saved after step 4; the same command goes on" in capsys.readouterr().out
    assert read_manifest(Path(apart.out) / "last.safetensors").step == 4
    assert signal.getsignal(signal.SIGINT) is handler
    train(replace(config, save_every=100))
    train(apart)
    assert "goes on after step 4" in capsys.readouterr().out
    states = [torch.load(Path(out) / "state.pt", weights_only=True)["average"] for out in (config.out, apart.out)]
    assert all(torch.equal(weight, states[1][name]) for name, weight in states[0].items())


def test_ctrl_c_twice_does_not_wait(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("pixelwise.training.loop.update_generator", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(config)
    assert not (Path(config.out) / "state.pt").exists()


def test_a_finished_run_says_that_nothing_is_left_to_do(config: TrainConfig, capsys: pytest.CaptureFixture[str]):
    train(config)
    train(replace(config, steps=3, batch_size=1))
    told = capsys.readouterr().out
    assert f"is at step {config.steps}: all are done" in told
    assert f"differs from what was done so far: batch_size was {config.batch_size}, is now 1" in told


def test_bf16_trains_on_a_cpu(config: TrainConfig):
    train(replace(config, precision="bf16", steps=2))
    assert load_checkpoint(Path(config.out) / "last.safetensors").manifest.step == 2
    assert all(np.isfinite(value) for value in records(config)[0].values())


def test_fp16_needs_a_gpu(config: TrainConfig):
    with pytest.raises(InputError, match="precision fp16 needs a GPU"):
        train(replace(config, precision="fp16"))


@pytest.mark.parametrize("num_workers", [0, 1])
def test_nan_stops_the_run_and_names_the_batch(config: TrainConfig, num_workers: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(DATASETS, "poisoned", poisoned)
    run = replace(config, dataset="poisoned", batch_size=1, num_workers=num_workers, save_every=1, steps=5, seed=1)
    with pytest.raises(
        Diverged, match=r"step (\d): adversarial, .* NaN .* names of the batch are in .*diverged_0\.json"
    ):
        train(run)
    content = json.loads(contents(run, "diverged_0.json"))
    assert content["names"] == [WHITE]
    assert content["step"] == load_checkpoint(Path(run.out) / "last.safetensors").manifest.step > 0


def test_weights_that_explode_stop_the_run(config: TrainConfig):
    with pytest.raises(Diverged, match="step 1: "):
        train(replace(config, learning_rate=1e38, save_every=100))
    assert json.loads(contents(config, "diverged_0.json"))["names"]
    assert not (Path(config.out) / "last.safetensors").exists()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_sample_that_cannot_be_used_is_named(config: TrainConfig, tmp_path: Path, num_workers: int):
    for kind in ("label", "image"):
        for split in ("train", "val"):
            folder = tmp_path / split / kind
            folder.mkdir(parents=True)
            for path in (Path(config.data) / split / kind).iterdir():
                (folder / path.name).write_bytes(path.read_bytes())
    broken = tmp_path / "train" / "image" / "3.png"
    broken.write_bytes(broken.read_bytes()[:500])
    with pytest.raises(InputError, match=r"^\S*train/image/3\.png: [^\n]*$"):
        train(replace(config, data=str(tmp_path), num_workers=num_workers))


@pytest.mark.parametrize("room", [2000, 20_000, 60_000])
def test_a_run_survives_a_full_disk(
    config: TrainConfig, full_disk: Callable[[int], AbstractContextManager[None]], room: int
):
    """After the disk has filled up while it saved, the run goes on from its last state as if nothing had happened."""
    whole = replace(config, out=f"{config.out}_whole")
    train(whole)
    train(replace(config, steps=2))
    state = contents(config, "state.pt")
    with full_disk(room), pytest.raises(InputError, match=r"\S+: cannot be written"):
        train(config)
    assert contents(config, "state.pt") == state
    train(config)
    assert contents(config) == contents(whole)


@pytest.mark.parametrize("name", ["last.safetensors", "state.pt"])
def test_a_run_survives_its_end_while_it_saves_for_the_last_time(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, name: str
):
    def stopped(self: Path, target: Path) -> Path:
        if target.name == name:
            raise KeyboardInterrupt
        return rename(self, target)

    whole = replace(config, out=f"{config.out}_whole")
    train(whole)
    train(replace(config, steps=4, constant_steps=4))
    rename = Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    train(config)
    assert contents(config) == contents(whole)
