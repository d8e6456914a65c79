"""How well classes are found: of a whole set at once, since most pictures lack most classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def class_iou(counts: Tensor) -> Tensor:
    """Intersection over union of every class, C in [0, 1]; NaN of a class that neither occurs nor was found.

    Args:
        counts: C C as from ``confusion``.
    """
    right = counts.diagonal()
    return right / (counts.sum(0) + counts.sum(1) - right)


def class_area(counts: Tensor) -> Tensor:
    """Each class's share of the true maps' pixels, C; they sum to 1. NaN where nothing was counted."""
    return counts.sum(1) / counts.sum()


def mean_iou(counts: Tensor) -> Tensor:
    """Intersection over union, the mean over all classes that occur or were found; ``counts`` as from ``confusion``."""
    return class_iou(counts).nanmean()


def mean_iou_of_occurring(counts: Tensor) -> Tensor:
    """The same mean over the classes that occur: of a small set, others are no reason to count a stray pixel as 0."""
    return class_iou(counts)[counts.sum(1) > 0].mean()


def pixel_accuracy(counts: Tensor) -> Tensor:
    """The share of pixels whose class was found; ``counts`` as from ``confusion``."""
    return counts.diagonal().sum() / counts.sum()


def segmentation_figures(counts: Tensor, names: Sequence[str]) -> dict[str, float | Mapping[str, float]]:
    """All that is said of a set, by name: what tables show, and what the paper's Fig. 11 plots (IoU against area).

    Args:
        counts: C C as from ``confusion``.
        names: of the C classes.

    Returns:
        ``mean_iou``, ``mean_iou_of_occurring`` and ``pixel_accuracy``; ``class_iou`` and ``class_area`` class by class,
        largest area first, of the classes that occur.
    """
    area, iou = class_area(counts), class_iou(counts)
    occurring = [index for index in area.argsort(descending=True, stable=True).tolist() if area[index] > 0]
    return {
        "mean_iou": float(mean_iou(counts)),
        "mean_iou_of_occurring": float(mean_iou_of_occurring(counts)),
        "pixel_accuracy": float(pixel_accuracy(counts)),
        "class_iou": {names[index]: float(iou[index]) for index in occurring},
        "class_area": {names[index]: float(area[index]) for index in occurring},
    }
