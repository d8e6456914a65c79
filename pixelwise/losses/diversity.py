"""Diversity: of several pictures of a condition, the best has to be like the target (Chen and Koltun, ICCV 2017)."""

from __future__ import annotations

from torch import Tensor

_SHARE_OF_ALL = 0.001
"""Of the mean over all pictures in the loss: one that is never the best would never learn to be a picture."""


def best_of(losses: Tensor) -> Tensor:
    """The least loss among the pictures, by itself in every region, and of the regions the sum; a scalar.

    Eq. 3 where the whole picture is the one region, Eq. 4 and 5 where every class is one: then one picture may have the
    best road and another the best sky.

    Args:
        losses: B K P, of K pictures in P regions.
    """
    best, mean = losses.amin(dim=1), losses.mean(dim=1)
    return best.lerp(mean, _SHARE_OF_ALL).sum(dim=1).mean()
