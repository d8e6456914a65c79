"""A run that was killed ends as if it had never been."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from killed_run import train_apart
from tiny_run import tiny_config
from torch import Tensor

from pixelwise.training import TrainConfig


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A run that nobody disturbed."""
    config = tiny_config(data, tmp_path_factory.mktemp("whole"), steps=4, sheet_every=4, validate_every=2)
    assert train_apart(config)
    return config


def tensors_of(state: object) -> list[Tensor]:
    if isinstance(state, Tensor):
        return [state]
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, list) else ()
    return [tensor for part in parts for tensor in tensors_of(part)]


def assert_same_end(run: TrainConfig, whole: TrainConfig) -> None:
    folder, other = Path(run.out), Path(whole.out)
    kept = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert kept == {path.relative_to(other) for path in other.rglob("*") if path.is_file()}
    for name in kept - {Path("state.pt"), Path("log.jsonl")}:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    ours, theirs = (torch.load(path / "state.pt", weights_only=True) for path in (folder, other))
    assert ours["progress"] == theirs["progress"]
    assert len(tensors_of(ours)) == len(tensors_of(theirs)) > 50
    assert all(map(torch.equal, tensors_of(ours), tensors_of(theirs)))


def logged_steps(run: TrainConfig) -> list[int]:
    return [json.loads(line)["step"] for line in (Path(run.out) / "log.jsonl").read_text().splitlines()]


def kill_while_saving(run: TrainConfig, every: int) -> None:
    """Kills the run at its first moment of danger, next time later by ``every``, and so on until it has finished."""
    last_moment = 0
    while not train_apart(run, last_moment):
        last_moment += every


@pytest.mark.parametrize(("num_workers", "every"), [(0, 7), (2, 17)])
def test_killed_while_saving(whole: TrainConfig, tmp_path: Path, num_workers: int, every: int):
    run = replace(whole, out=str(tmp_path), num_workers=num_workers)
    kill_while_saving(run, every)
    assert_same_end(run, whole)
    assert logged_steps(run) == sorted(set(logged_steps(run)))
    assert {2, 4} <= set(logged_steps(run)), "the steps after which there was a validation"


@pytest.mark.slow
def test_killed_at_every_moment_while_saving(whole: TrainConfig, tmp_path: Path):
    run = replace(whole, out=str(tmp_path))
    kill_while_saving(run, every=1)
    assert_same_end(run, whole)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_killed_at_any_time(whole: TrainConfig, tmp_path: Path, num_workers: int):
    run = replace(whole, out=str(tmp_path), num_workers=num_workers)
    times = random.Random(num_workers)
    for _ in range(3):
        train_apart(run, seconds=times.uniform(0, 0.4))
    assert train_apart(run)
    assert_same_end(run, whole)
