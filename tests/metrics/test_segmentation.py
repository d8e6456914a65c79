"""Measures of segmentation against values that were reckoned by hand."""

from __future__ import annotations

import pytest
import torch

from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics import best_by
from pixelwise.metrics.segmentation import confusion, mean_iou, pixel_accuracy

LABELS = torch.tensor([[[0, 0, 1, 1], [1, 2, 4, 4]]], dtype=torch.int32)
FOUND = torch.tensor([[[0, 1, 1, 1], [2, 2, 3, 0]]])


def test_by_hand() -> None:
    """Class 3 neither occurs nor was found where it counts; 4 is don't care."""
    counts = confusion(FOUND, LABELS, 4)
    assert counts.tolist() == [[1, 1, 0, 0], [0, 2, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert mean_iou(counts).item() == pytest.approx((1 / 2 + 2 / 4 + 1 / 2) / 3)
    assert pixel_accuracy(counts).item() == pytest.approx(4 / 6)


def test_a_class_that_was_only_imagined_counts() -> None:
    counts = confusion(torch.tensor([[[0, 1]]]), torch.tensor([[[0, 0]]]), 3)
    assert mean_iou(counts).item() == pytest.approx((1 / 2 + 0) / 2)


def test_a_set_is_counted_together() -> None:
    both = confusion(torch.cat([FOUND, FOUND]), torch.cat([LABELS, LABELS]), 4)
    assert torch.equal(both, 2 * confusion(FOUND, LABELS, 4))


def test_models_are_chosen_by_it() -> None:
    assert best_by(LabelSpec(("a", "b"))) == "mean_iou"
    assert best_by(ImageSpec()) != "mean_iou"
