"""Torch's global random numbers, begun anew where a picture draws some, so that it comes out the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import index

import torch

from pixelwise.errors import InputError

MAX_SEED = 2**63 - 1


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers on the CPU and on ``device`` from ``seed`` on, for as long as the context lasts.

    Afterwards they go on as if nothing had been drawn.
    """
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng([device] if on_gpu else []):
        # Not torch.manual_seed, which would seed all other GPUs too.
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def seeds_from(seed: int | None, count: int) -> range:
    """``count`` seeds from ``seed`` on, or from 0.

    Raises:
        InputError: less than one, seeds beyond 0..MAX_SEED, or what is no whole number.
    """
    try:
        first, count = index(0 if seed is None else seed), index(count)
    except TypeError as error:
        raise InputError(f"seed and samples are whole numbers, got {seed!r} and {count!r}") from error
    if count < 1:
        raise InputError(f"samples must be at least 1, got {count}")
    if not 0 <= first <= first + count - 1 <= MAX_SEED:
        raise InputError(f"seeds run from {first} to {first + count - 1}, expected 0..{MAX_SEED}")
    return range(first, first + count)
