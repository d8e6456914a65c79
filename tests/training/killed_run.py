"""Trains in another process, which can be killed, with all that it started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import torch

from pixelwise.training import TrainConfig, train

# Forks of a process that has imported torch, but not used it yet: they start at once, and may use threads.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pixelwise.training.loop"])

NEVER = sys.maxsize


def train_apart(config: TrainConfig, last_moment: int = NEVER, seconds: float = 240.0) -> bool:
    """Trains in another process that is killed unless it comes to its end in time.

    Args:
        config: the run.
        last_moment: killed at this one of the moments before and after each step of putting a file in its place.
        seconds: after which the process is killed wherever it may be.

    Returns:
        Whether the run came to its end.
    """
    process = _FORKS.Process(target=_train, args=(config, last_moment))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0


def _train(config: TrainConfig, last_moment: int) -> None:
    os.setpgrp()
    torch.set_num_threads(1)
    # TensorBoard's import takes longer than the run.
    sys.modules["torch.utils.tensorboard"] = None
    moments = iter(range(last_moment))
    os.fsync = _dangerous(os.fsync, moments)
    Path.replace = _dangerous(Path.replace, moments)
    train(config)


def _dangerous(act: Callable[..., object], moments: Iterator[int]) -> Callable[..., object]:
    """The same act, but the process is killed just before or after it when no moments are left."""

    def acting(*arguments: object) -> object:
        _live(moments)
        result = act(*arguments)
        _live(moments)
        return result

    return acting


def _live(moments: Iterator[int]) -> None:
    if next(moments, None) is None:
        os.killpg(0, signal.SIGKILL)
