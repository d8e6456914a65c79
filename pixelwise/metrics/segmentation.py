"""How well classes are found: of a whole set at once, since most pictures lack most classes."""

from __future__ import annotations

import torch
from torch import Tensor


def confusion(found: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """How many pixels of each class were taken for each other: C C, the true class first.

    Args:
        found: B H W class indices in 0..num_classes - 1.
        labels: B H W, the right ones; pixels of ``num_classes``, don't care, are not counted.
    """
    cared = labels != num_classes
    pairs = labels[cared].long() * num_classes + found[cared].long()
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)


def mean_iou(counts: Tensor) -> Tensor:
    """Intersection over union, the mean over all classes that occur or were found; ``counts`` as from ``confusion``."""
    right = counts.diagonal()
    union = counts.sum(0) + counts.sum(1) - right
    return (right[union > 0] / union[union > 0]).mean()


def pixel_accuracy(counts: Tensor) -> Tensor:
    """The share of pixels whose class was found; ``counts`` as from ``confusion``."""
    return counts.diagonal().sum() / counts.sum()
