"""How right metric depth is (Eigen et al. 2014, Sec. 4.1): means over the measured pixels of a picture, B.

All take depth in metres: what a model says and what was measured, B 1 H W, and where it was, B 1 H W bool (None:
everywhere). A picture without a measured pixel has no score: NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pixelwise.images import METRES, ImageSpec

DepthMetric = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def metres(picture: Tensor, spec: ImageSpec) -> Tensor:
    """Depth of pictures in [-1, 1], by the unit that ``spec`` states and by what is its white."""
    return (picture + 1) / 2 * (spec.white * METRES[spec.unit])


def abs_rel(depth: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """The mean error as a share of the true depth; 0 is best."""
    return _mean((depth - target).abs() / target, valid)


def rmse(depth: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
    """The root of the mean squared error, in metres; 0 is best."""
    return _mean((depth - target).square(), valid).sqrt()


def within(factor: float) -> DepthMetric:
    """The share of pixels whose depth is right up to less than ``factor``, either way; 1 is best."""

    def share(depth: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        return _mean((torch.maximum(depth / target, target / depth) < factor).float(), valid)

    return share


def _mean(values: Tensor, valid: Tensor | None) -> Tensor:
    if valid is None:
        return values.mean(dim=(1, 2, 3))
    # Not by weights of 0: beyond holes values may be infinite.
    return torch.where(valid, values, torch.nan).nanmean(dim=(1, 2, 3))
