"""What the system's memory allocator does with freed memory: all of it kept, or all that is large given back."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_MMAP_MAX = -4
NEVER = 2**31 - 1
LARGE = 1 << 18


def keep_freed_memory() -> None:
    """Has glibc keep freed blocks in the process; does nothing elsewhere.

    By default it returns large blocks to the kernel at once, and to touch each new one again is page faults: on a CPU
    they can cost more than the arithmetic (measured: half of a training step at 256 x 256). For work that asks for the
    same sizes again and again: what was freed counts as memory in use until the process ends.
    """
    _set(M_MMAP_MAX, 0)
    _set(M_TRIM_THRESHOLD, NEVER)


def give_back_freed_memory() -> None:
    """Has glibc return every block of 256 KB or more to the system when it is freed; does nothing elsewhere.

    By default it does so with ever fewer of them: up to the size of the largest that was ever freed, and 32 MB at most,
    new ones come from a heap whose holes may stay in memory. How many do depends on all that was done before. So a
    process whose memory is measured gives back: then what counts is what is in use at a time.
    """
    _set(M_MMAP_THRESHOLD, LARGE)


def _set(parameter: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None:
        mallopt(parameter, value)
