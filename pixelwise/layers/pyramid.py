"""Planes at several sizes, each half of the one before: what stands beside a picture that is made at several sizes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def halved(planes: Tensor) -> Tensor:
    """B C H W to B C ceil(H / 2) ceil(W / 2): means over 2 x 2 places, at the border over those that are there."""
    return F.avg_pool2d(planes, 2, ceil_mode=True)


def pyramid(planes: Tensor, num_levels: int) -> list[Tensor]:
    """``planes`` B C H W, then ``num_levels`` - 1 more, each the one before ``halved``."""
    levels = [planes]
    while len(levels) < num_levels:
        levels.append(halved(levels[-1]))
    return levels
