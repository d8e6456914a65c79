"""What the convolutions of a pass share: memory, and the order in which their kernels run."""

from __future__ import annotations

import ctypes
from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.spare_memory import SpareMemory
from pixelwise.native import library


@dataclass(frozen=True)
class _Call:
    kernel: library.Kernel
    job: ctypes.Structure
    num_threads: int
    holds: tuple[Tensor, ...]
    scarce: str


class Room:
    """Memory that convolutions use in turn, since new memory would cost each of them page faults; and their kernels.

    Args:
        ahead: whether kernels wait for ``finish``. Weights stream through the caches while they run and displace what
            Python works with: between kernels it takes several times as long to prepare the next one as ahead of all.
        memory: where large tensors lie; None for wherever torch puts them.
    """

    def __init__(self, ahead: bool = False, memory: SpareMemory | None = None) -> None:
        self._ahead = ahead
        self._new = torch.empty if memory is None else memory.tensor
        self._waiting: deque[_Call] = deque()
        self._nothing = torch.empty(0, dtype=torch.float32)
        self._scratch = self._last = self._last_but_one = self._nothing

    def scratch(self, count: int) -> Tensor:
        """At least ``count`` floats, which hold anything, until the next convolution asks."""
        if len(self._scratch) < count:
            self._scratch = self._new(count, dtype=torch.float32)
        return self._scratch

    def layer(self, *shape: int) -> Tensor:
        """Float32 that hold anything, for what a convolution makes. Where kernels wait, the layer after the next takes
        the same memory, unless they were run between."""
        if not self._ahead:
            return self._new(*shape, dtype=torch.float32)
        count = torch.Size(shape).numel()
        memory = self._last_but_one if len(self._last_but_one) >= count else self._new(count, dtype=torch.float32)
        self._last_but_one, self._last = self._last, memory
        return memory[:count].view(shape)

    def run(self, kernel: library.Kernel, job: ctypes.Structure, *holds: Tensor, scarce: str = "") -> None:
        """Runs a kernel, or has it wait for those before it.

        Args:
            kernel, job: see ``library.run``.
            holds: what the job has the addresses of.
            scarce: the message of the error if the job has ``out_of_memory`` set then.

        Raises:
            InputError: it has.
        """
        self._waiting.append(_Call(kernel, job, torch.get_num_threads(), holds, scarce))
        if not self._ahead:
            self.finish()

    def finish(self) -> None:
        """Runs what waits. Raises InputError where ``run`` would."""
        while self._waiting:
            call = self._waiting.popleft()
            library.run(call.kernel, call.job, call.num_threads)
            if getattr(call.job, "out_of_memory", False):
                raise InputError(call.scarce)
        # Who still reads a layer has it; otherwise its memory is free.
        self._last = self._last_but_one = self._nothing
