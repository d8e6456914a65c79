"""Keeps the system's memory allocator from giving back what the next step asks for again."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Has glibc keep freed blocks in the process; does nothing elsewhere.

    By default it returns large blocks to the kernel at once, and each training step's first touch of every large tensor
    is a page fault: on a CPU that can cost more than the arithmetic (measured: half of a step at 256 x 256).
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, NEVER)
