"""The shared library of compiled kernels, and how to call them from several threads.

The library is built with the package where there is a C compiler, and holds every kernel once for each instruction set.
It knows nothing of Python or torch: kernels take pointers and sizes in a ctypes structure.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

import torch

from pixelwise.native.errands import Errands

INSTRUCTION_SETS = ("avx512", "avx2", "portable")
"""What kernels are compiled for, fastest first. "portable" is NEON on arm64, SSE2 on x86-64."""

Kernel = Callable[[Any], None]
"""A compiled function, called with a pointer to its job."""


LANES = 16
"""Floats of the longest vectors: what kernels read and write by whole vectors is rounded up to them."""

SLACK = LANES
"""Floats that must be readable beyond what the renderer reads: it takes whole vectors."""

_KERNEL_TYPE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_ERRAND_TYPE = ctypes.CFUNCTYPE(None)


class Work(ctypes.Structure):
    """Items that threads share; the first member of every kernel's job. See kernels/work.h."""

    _fields_ = [("next", ctypes.c_int64), ("count", ctypes.c_int64), ("threads", ctypes.c_int64)]


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


@cache
def kernel(name: str, instruction_set: str | None = None) -> Kernel:
    """A compiled kernel, which takes a pointer to its job.

    Args:
        name: of the C function, without the instruction set.
        instruction_set: one of ``instruction_sets()``; None for the fastest.

    Raises:
        OSError: the library was not built, or cannot be loaded.
    """
    return _KERNEL_TYPE((f"{name}_{instruction_set or instruction_sets()[0]}", _library()))


def run(
    function: Kernel, job: ctypes.Structure, num_threads: int | None = None, errands: Errands | None = None
) -> None:
    """Has several threads call ``function`` with the same job, whose ``work`` they share.

    Args:
        function: a kernel.
        job: its structure, ``work`` first, with ``count`` items and ``next`` at 0.
        num_threads: None for as many as torch uses.
        errands: done by the other threads, before they take items. Should take less long than the kernel.
    """
    num_threads = num_threads or torch.get_num_threads()
    job.work.threads = num_threads
    address = ctypes.byref(job)
    if num_threads == 1:
        function(address)
    elif (parallel := _openmp()) is None:
        _run_in_pool(function, job, num_threads, errands)
    elif errands is None or not errands.any_wait:
        parallel(function, address, num_threads, 0)
    else:
        _library().run_with_errands(parallel, function, address, _ERRAND_TYPE(errands.do_all), num_threads)


def _run_in_pool(function: Kernel, job: ctypes.Structure, num_threads: int, errands: Errands | None) -> None:
    def share() -> None:
        if errands is not None:
            errands.do_all()
        function(ctypes.byref(job))

    others = [_threads(num_threads).submit(share) for _ in range(num_threads - 1)]
    try:
        function(ctypes.byref(job))
    finally:
        # Also after an interruption: they read what the caller frees.
        wait(others)
    for other in others:
        other.result()


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    spec = find_spec("pixelwise.native._kernels")
    if spec is None or spec.origin is None:
        raise OSError("the compiled kernels are missing: pixelwise was installed without a C compiler")
    return ctypes.CDLL(spec.origin)


@lru_cache(maxsize=1)
def _openmp() -> Callable[[Any, Any, int, int], None] | None:
    """GNU OpenMP's entry point, where torch has brought that runtime into the process.

    Its threads go on spinning for milliseconds after torch's last operation. Threads of our own would have to share the
    processors with them: half of the speed is lost while they do.
    """
    parallel = getattr(ctypes.CDLL(None), "GOMP_parallel", None) if os.name == "posix" else None
    if parallel is not None:
        parallel.argtypes = [_KERNEL_TYPE, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        parallel.restype = None
    return parallel


@lru_cache(maxsize=4)
def _threads(num_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads, thread_name_prefix="pixelwise")
