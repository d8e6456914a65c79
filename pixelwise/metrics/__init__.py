"""METRICS: the table of contents. Each compares pictures with what they should have been."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from pixelwise.metrics.fidelity import psnr, ssim

METRICS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"psnr": psnr, "ssim": ssim}
