"""How long the stages of one run take, on the CPU or on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import torch

Lap = Callable[[], None]
"""Called by a run between two of its stages."""


def no_lap() -> None:
    """For runs that nobody times."""


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
