"""Number formats that a GPU computes in, and how far from float32 each may end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Precision:
    """One number format.

    Attributes:
        name: in tables.
        dtype: of the products' factors; sums are float32.
        tolerance: the largest error of a picture in [-1, 1] that passes as equal: the maximum over its pixels for
            float32, the root of the mean square for coarser formats, whose worst pixel may be anywhere.
        tf32: whether float32 factors are rounded to ten bits of mantissa.
    """

    name: str
    dtype: torch.dtype
    tolerance: float
    tf32: bool = False

    @property
    def exact(self) -> bool:
        return self.dtype == torch.float32 and not self.tf32

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within it torch rounds float32 factors on a GPU so. What is of another type, is so by itself."""
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = matmul.allow_tf32, cudnn.allow_tf32
        try:
            matmul.allow_tf32 = cudnn.allow_tf32 = self.tf32
            yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32 = before


FP32 = Precision("fp32", torch.float32, 1e-4)
PRECISIONS: Mapping[str, Precision] = {
    precision.name: precision
    for precision in (
        FP32,
        Precision("tf32", torch.float32, 1e-2, tf32=True),
        Precision("fp16", torch.float16, 1e-2),
        Precision("bf16", torch.bfloat16, 1e-1),
    )
}


def precisions_on(device: torch.device) -> tuple[Precision, ...]:
    """Those worth measuring: on a CPU float32 alone."""
    return tuple(PRECISIONS.values()) if device.type == "cuda" else (FP32,)
