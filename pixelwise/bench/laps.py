"""How long runs take, and the stages of one: on the CPU or on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeVar

import torch

from pixelwise.metrics.complexity import Runtime, summarise

Lap = Callable[[], None]
"""Called by a run between two of its stages."""

Key = TypeVar("Key")


def no_lap() -> None:
    """For runs that nobody times."""


def in_turns(
    runs: Mapping[Key, Callable[[], object]], rounds: int, unmeasured: int = 0, turn: float = 0.0
) -> dict[Key, Runtime]:
    """How long each takes on the CPU: all one after the other, so that what else the machine does meets all alike.

    Args:
        runs: what is measured.
        rounds: that count.
        unmeasured: rounds before them.
        turn: seconds that each runs again and again for in its turn, at least twice, and the first time does not count:
            caches, memory and the processor's pace are as those before have left them, which would cost the fastest the
            most. 0 for a single time, which counts.
    """
    seconds: dict[Key, list[float]] = {key: [] for key in runs}
    for number in range(unmeasured + rounds):
        for key, run in runs.items():
            end = time.perf_counter() + turn
            if turn:
                run()
            laps = [_seconds(run)]
            while time.perf_counter() < end:
                laps.append(_seconds(run))
            if number >= unmeasured:
                seconds[key] += laps
    return {key: summarise(times) for key, times in seconds.items()}


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def time_laps(run: Callable[[Lap], object], device: torch.device) -> list[float]:
    """Seconds of each stage of ``run``: one number more than it calls its lap.

    On a GPU they are measured there, by events, from an idle device on; the time in which it waits for work counts.
    """
    return _gpu_laps(run, device) if device.type == "cuda" else _cpu_laps(run)


def _cpu_laps(run: Callable[[Lap], object]) -> list[float]:
    marks = [time.perf_counter()]
    run(lambda: marks.append(time.perf_counter()))
    marks.append(time.perf_counter())
    return [after - before for before, after in pairwise(marks)]


def _gpu_laps(run: Callable[[Lap], object], device: torch.device) -> list[float]:
    marks: list[torch.cuda.Event] = []

    def mark() -> None:
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(device))
        marks.append(event)

    torch.cuda.synchronize(device)
    mark()
    run(mark)
    mark()
    torch.cuda.synchronize(device)
    return [before.elapsed_time(after) / 1000 for before, after in pairwise(marks)]
