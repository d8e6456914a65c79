"""What the machine could do at best, measured: the ceilings that engines are held against."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pixelwise.bench.laps import time_laps
from pixelwise.bench.precision import FP32, Precision
from pixelwise.native import library

_ATTEMPTS = 5
"""The best of so many counts: a ceiling is no average."""


@dataclass(frozen=True)
class Effort:
    """How much is computed to find the peaks.

    Attributes:
        side: of the square matrices that are multiplied.
        megabytes: that are copied, more than caches hold.
        rounds: multiply-adds in a row, see kernels/peak.h.
    """

    side: int = 2048
    megabytes: int = 256
    rounds: int = 10_000_000


@dataclass(frozen=True)
class Peaks:
    """Rates of one device.

    Attributes:
        products: by precision, GFLOP/s of a large product of matrices; a multiply-add counts two.
        multiply_adds: GFLOP/s of multiply-adds alone, in float32; None without compiled kernels or on a GPU.
        copy: GB/s that are read and written while a large array is copied.
    """

    products: dict[str, float]
    multiply_adds: float | None
    copy: float

    def of(self, precision: str) -> float:
        """The higher of the rates found, in GFLOP/s."""
        probed = self.multiply_adds if precision == FP32.name else None
        return max(self.products[precision], probed or 0.0)


def measure_peaks(device: torch.device, precisions: Sequence[Precision], effort: Effort) -> Peaks:
    """The peaks of ``device`` with as many threads as torch uses."""
    return Peaks(
        products={precision.name: _product_rate(device, precision, effort.side) for precision in precisions},
        multiply_adds=_multiply_add_rate(effort.rounds) if device.type == "cpu" and not library.missing() else None,
        copy=_copy_rate(device, effort.megabytes),
    )


def _product_rate(device: torch.device, precision: Precision, side: int) -> float:
    left, right = (torch.randn(side, side, device=device).to(precision.dtype) for _ in range(2))
    out = torch.empty_like(left)
    with precision.active():
        seconds = _best(lambda: torch.mm(left, right, out=out), device)
    return 2 * side**3 / seconds / 1e9


def _copy_rate(device: torch.device, megabytes: int) -> float:
    source = torch.ones(megabytes * 1_000_000 // 4, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / _best(lambda: target.copy_(source), device) / 1e9


class PeakJob(ctypes.Structure):
    """peak_job of kernels/peak.h."""

    _fields_ = [
        ("work", library.Work),
        ("rounds", ctypes.c_int64),
        ("values", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("num_lanes", ctypes.c_int64),
    ]


def _multiply_add_rate(rounds: int) -> float:
    # Several items for each thread: one that starts late takes fewer.
    num_items = 8 * torch.get_num_threads()
    values, ends = np.array([0.5, 1.0], np.float32), np.empty(num_items, np.float32)
    job = PeakJob(library.Work(0, num_items), rounds // 8, values.ctypes.data, ends.ctypes.data, 0)
    kernel = library.kernel("peak")

    def compute() -> None:
        job.work.next = 0
        library.run(kernel, job)

    seconds = _best(compute, torch.device("cpu"))
    return float(2 * job.num_lanes * num_items * job.rounds / seconds / 1e9)


def _best(run: Callable[[], object], device: torch.device) -> float:
    """Seconds of the quickest of several calls."""
    return min(sum(time_laps(lambda _: run(), device)) for _ in range(_ATTEMPTS))
