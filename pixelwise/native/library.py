"""The shared library of compiled kernels, and how to call them from several threads.

The library is built with the package where there is a C compiler, and holds every kernel once for each instruction set.
It knows nothing of Python or torch: kernels take pointers and sizes in a ctypes structure.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import torch

INSTRUCTION_SETS = ("avx512", "avx2", "portable")
"""What kernels are compiled for, fastest first. "portable" is NEON on arm64, SSE2 on x86-64."""


class Work(ctypes.Structure):
    """Items that threads share; the first member of every kernel's job. See kernels/work.h."""

    _fields_ = [("next", ctypes.c_int64), ("count", ctypes.c_int64)]


def missing() -> str | None:
    """Why there are no compiled kernels here; None if there are."""
    try:
        _library()
    except OSError as error:
        return str(error)
    return None


def instruction_sets() -> tuple[str, ...]:
    """Those of ``INSTRUCTION_SETS`` that this processor has, fastest first. Raises OSError without the library."""
    return tuple(name for name in INSTRUCTION_SETS if name == "portable" or getattr(_library(), f"has_{name}")())


def kernel(name: str, instruction_set: str | None = None) -> Callable[[Any], None]:
    """A compiled kernel, which takes a pointer to its job.

    Args:
        name: of the C function, without the instruction set.
        instruction_set: one of ``instruction_sets()``; None for the fastest.

    Raises:
        OSError: the library was not built, or cannot be loaded.
    """
    function = getattr(_library(), f"{name}_{instruction_set or instruction_sets()[0]}")
    function.restype = None
    return function  # type: ignore[no-any-return]


def run(function: Callable[[Any], None], job: ctypes.Structure, num_threads: int | None = None) -> None:
    """Has several threads call ``function`` with the same job, whose ``work`` they share.

    Args:
        function: a kernel.
        job: its structure, ``work`` first, with ``count`` items and ``next`` at 0.
        num_threads: None for as many as torch uses.
    """
    num_threads = num_threads or torch.get_num_threads()
    others = [_threads(num_threads).submit(function, ctypes.byref(job)) for _ in range(num_threads - 1)]
    function(ctypes.byref(job))
    for other in others:
        other.result()


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    spec = find_spec("pixelwise.native._kernels")
    if spec is None or spec.origin is None:
        raise OSError("the compiled kernels are missing: pixelwise was installed without a C compiler")
    return ctypes.CDLL(spec.origin)


@lru_cache(maxsize=4)
def _threads(num_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads, thread_name_prefix="pixelwise")
