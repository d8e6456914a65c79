"""Memory that is used again once nobody holds it any more."""

from __future__ import annotations

import math
import weakref

import numpy as np
import torch
from torch import Tensor

MOST_BYTES = 64 << 20
"""What is kept beyond that, the system gets back."""


class SpareMemory:
    """Memory for large tensors, one picture's after the other's.

    New memory costs a page fault for every 4 KB, and what an allocator gives back to the system is new again: the 33 MB
    of a first layer took 8 ms of its picture's 36. No more is held than was needed at a time: what is spare but too
    small is given back. Threads may share it.
    """

    def __init__(self) -> None:
        self._spare: dict[int, np.ndarray] = {}

    def tensor(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """One that holds anything, on the CPU. Its memory is spare when neither it nor a view of it is left."""
        num_bytes = math.prod(shape) * dtype.itemsize
        memory = self._taken(num_bytes)
        # Torch holds the object that it is given, and that alone. So its end tells that all of its tensors are gone.
        lent = memory[:num_bytes]
        weakref.finalize(lent, self._give_back, memory)
        return torch.from_numpy(lent).view(dtype).view(shape)

    def _taken(self, num_bytes: int) -> np.ndarray:
        """The smallest that is large enough, or new memory."""
        for key, memory in sorted(self._spare.copy().items(), key=lambda item: item[1].nbytes):
            # Without it, another thread was faster.
            if memory.nbytes >= num_bytes and self._spare.pop(key, None) is not None:
                return memory
        self._spare.clear()
        return np.empty(num_bytes, np.uint8)

    def _give_back(self, memory: np.ndarray) -> None:
        # Runs wherever the last tensor dies, also amid another call of this thread: hence no lock.
        kept = sum(other.nbytes for other in self._spare.copy().values())
        if kept + memory.nbytes <= MOST_BYTES:
            self._spare[id(memory)] = memory
