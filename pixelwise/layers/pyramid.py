"""Planes at several sizes, each half of the one before: what stands beside a picture that is made at several sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
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


def filled_pyramid(target: Tensor, valid: Tensor | None, pictures: Sequence[Tensor]) -> list[Tensor]:
    """``target`` at the size of each of ``pictures``, without holes: what was not measured is what was made there.

    So whatever compares the two finds no difference there and asks for none. At reduced sizes a place that was measured
    in part is drawn towards the mean of what was measured. And no judge can tell the two apart by the holes of the one.

    Args:
        target: B C H W.
        valid: B 1 H W bool, where it was measured; None: everywhere.
        pictures: B C H W, then each half of the one before; no gradient flows into them from here.
    """
    if valid is None:
        return pyramid(target, len(pictures))
    shares = pyramid(valid.to(target.dtype), len(pictures))
    measured = pyramid(torch.where(valid, target, 0), len(pictures))
    return [
        known + (1 - share) * picture.detach() for known, share, picture in zip(measured, shares, pictures, strict=True)
    ]
