"""Keeps the system's memory allocator from giving back what is asked for again at once."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt(3).
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Has glibc keep freed blocks in the process; does nothing elsewhere.

    By default it returns large blocks to the kernel at once, and to touch each new one again is page faults: on a CPU
    they can cost more than the arithmetic (measured: half of a training step at 256 x 256). For work that asks for the
    same sizes again and again: what was freed counts as memory in use until the process ends.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, NEVER)
