"""What a generator costs: parameters, multiply-adds, time; its memory: memory.py.

Multiply-adds (MACs) are counted as fvcore counts them, and most papers with it: one for each product in a convolution
(transposed and grouped ones too, fixed filters too), a linear layer or a matrix product (bmm and einsum too). Biases,
norms, activations, interpolation and elementwise products count nothing, and products of a matrix with a single vector
neither, such as the power iteration of spectral norm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.render import PixelwiseField

CPU = torch.device("cpu")

Result = TypeVar("Result")


@runtime_checkable
class PixelwiseGenerator(Protocol):
    """A generator in two stages: a field at low resolution, which is then rendered at full resolution."""

    def field(self, condition: Condition) -> PixelwiseField: ...


@dataclass(frozen=True)
class Macs:
    """Multiply-adds of one call.

    Attributes:
        total: of all that is counted.
        pixelwise: the MLPs' share at full resolution; None for a generator that has no field.
    """

    total: int
    pixelwise: int | None = None

    @property
    def low_resolution(self) -> int | None:
        """The share of the stream that predicts the field; None for a generator that has no field."""
        return None if self.pixelwise is None else self.total - self.pixelwise


@dataclass(frozen=True)
class Runtime:
    """Wall-clock seconds of one call.

    Attributes:
        median, lower_quartile, upper_quartile: over ``repeats`` calls, in seconds.
        repeats: measured calls, those that warm up not among them.
        threads: that torch computed with.
    """

    median: float
    lower_quartile: float
    upper_quartile: float
    repeats: int
    threads: int


def num_parameters(module: nn.Module) -> int:
    """Learned numbers, those of frozen layers included and buffers not."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_macs(generator: nn.Module | PixelwiseGenerator, condition: Condition) -> Macs:
    """Multiply-adds of one call of ``generator``, which runs in the mode that it is in.

    Of a pixelwise generator the stream is run and counted, the MLPs are counted by ``pixelwise_macs``: how much
    arithmetic an engine does beside them, or saves, is the engine's business and not the model's.

    Args:
        generator: from a condition to a translation.
        condition: B conditions; the count is for all of them.
    """
    if isinstance(generator, PixelwiseGenerator):
        field, low_resolution = _counted(partial(generator.field, condition))
        pixelwise = pixelwise_macs(field, condition.size)
        return Macs(low_resolution + pixelwise, pixelwise)
    return Macs(_counted(partial(generator, condition))[1])


def pixelwise_macs(field: PixelwiseField, size: tuple[int, int]) -> int:
    """Multiply-adds of Eq. 1: the sum of I x O over the MLP's layers, for every pixel of every picture of the batch.

    Four times as many where parameters are interpolated between four cells.

    Args:
        field: of B pictures.
        size: (height, width) of the rendered pictures, in pixels.
    """
    # What the reference engine does, but for the biases, which it adds by a matrix product. The tests hold it to that.
    products = sum(inputs * outputs for inputs, outputs in pairwise(field.mlp.widths))
    return len(field.parameters) * size[0] * size[1] * products * (4 if field.bilinear else 1) * field.num_passes


def measure_runtime(
    run: Callable[[], object], repeats: int = 10, warm_up: int = 2, device: torch.device = CPU
) -> Runtime:
    """How long ``run`` takes.

    Args:
        run: what is measured. Its results are dropped.
        repeats: calls that are measured, at least 1.
        warm_up: calls before them, at least 0.
        device: where ``run`` computes; its queued work is waited for.

    Raises:
        InputError: a number of calls that is too small.
    """
    if repeats < 1 or warm_up < 0:
        raise InputError(f"runtime: expected repeats >= 1 and warm_up >= 0, got {repeats} and {warm_up}")
    return summarise([_seconds(run, device) for _ in range(warm_up + repeats)][warm_up:])


def summarise(seconds: Sequence[float]) -> Runtime:
    """Median and quartiles of single calls' seconds, which must have been measured with the present threads."""
    lower_quartile, median, upper_quartile = (float(value) for value in np.percentile(seconds, (25, 50, 75)))
    return Runtime(median, lower_quartile, upper_quartile, len(seconds), torch.get_num_threads())


@torch.no_grad()
def _counted(run: Callable[[], Result]) -> tuple[Result, int]:
    with FlopCounterMode(display=False) as counter:
        result = run()
    # It counts a multiply-add as two operations.
    return result, counter.get_total_flops() // 2


def _seconds(run: Callable[[], object], device: torch.device) -> float:
    _wait_for(device)
    start = time.perf_counter()
    run()
    _wait_for(device)
    return time.perf_counter() - start


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
