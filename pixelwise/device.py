"""Where a model computes, and in which numbers: what a command line calls them, and what torch does."""

from __future__ import annotations

import torch

from pixelwise.errors import InputError

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""What a model may compute in, by the names of a command line."""


def find_device(name: torch.device | str) -> torch.device:
    """The device that torch calls so; for "auto" the GPU if there is one. Raises InputError when it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # builds without CUDA assert
        reason = str(error).splitlines()[0]
        raise InputError(f"device {name}: not available here ({reason})") from error


def find_dtype(precision: str) -> torch.dtype:
    """The type of that name in ``DTYPES``. Raises InputError where there is none."""
    if precision not in DTYPES:
        raise InputError(f"precision {precision!r} is not one of {', '.join(DTYPES)}")
    return DTYPES[precision]
