"""Memory that is used again once nobody holds it any more."""

from __future__ import annotations

import math
import weakref

import numpy as np
import torch
from torch import Tensor

MOST_BYTES = 36 << 20
"""As much is kept from one picture to the next."""

_MOST_TIMES_TOO_LARGE = 4
"""A small tensor that is held for long should not hold much more memory."""


class SpareMemory:
    """Memory for large tensors, one picture's after the other's.

    New memory costs a page fault for every 4 KB, and what an allocator gives back to the system is new again: the 33 MB
    of a first layer took 8 ms of its picture's 36. Threads may share it.
    """

    def __init__(self) -> None:
        self._spare: dict[int, np.ndarray] = {}

    @property
    def num_bytes(self) -> int:
        """What is kept and not in use."""
        return sum(memory.nbytes for memory in self._spare.copy().values())

    def tensor(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """One that holds anything, on the CPU. Its memory is spare when neither it nor a view of it is left."""
        num_bytes = math.prod(shape) * dtype.itemsize
        if not 0 < num_bytes <= MOST_BYTES:
            return torch.empty(shape, dtype=dtype, device="cpu")
        memory = self._taken(num_bytes)
        # Torch holds the object that it is given, and that alone. So its end tells that all of its tensors are gone.
        lent = memory[:num_bytes]
        # What still lives when the interpreter ends is still held.
        weakref.finalize(lent, self._give_back, memory).atexit = False
        return torch.from_numpy(lent).view(dtype).view(shape)

    def __reduce__(self) -> tuple[type[SpareMemory], tuple[()]]:
        return SpareMemory, ()  # a copy has memory of its own

    def _taken(self, num_bytes: int) -> np.ndarray:
        """The smallest that is large enough, or new memory."""
        pieces = sorted(self._spare.copy().items(), key=lambda piece: piece[1].nbytes)
        for key, memory in pieces:
            fits = num_bytes <= memory.nbytes <= _MOST_TIMES_TOO_LARGE * num_bytes
            if fits and self._spare.pop(key, None) is not None:  # otherwise another thread was faster
                return memory
        for key, memory in pieces:
            if memory.nbytes < num_bytes:  # outgrown
                self._spare.pop(key, None)
        return torch.empty(num_bytes, dtype=torch.uint8, device="cpu").numpy()

    def _give_back(self, memory: np.ndarray) -> None:
        # Runs wherever the last tensor dies, also amid another call of this thread: hence no lock.
        self._spare[id(memory)] = memory
        while self.num_bytes > MOST_BYTES:
            smallest = min(self._spare.copy().values(), key=lambda other: other.nbytes)
            self._spare.pop(id(smallest), None)
