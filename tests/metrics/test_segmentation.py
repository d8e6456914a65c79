"""Measures of segmentation against values that were reckoned by hand."""

from __future__ import annotations

import math

import pytest
import torch

from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics import best_by
from pixelwise.metrics.segmentation import (
    class_area,
    class_iou,
    confusion,
    mean_iou,
    mean_iou_of_occurring,
    pixel_accuracy,
    segmentation_figures,
)

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


def test_classes_by_hand() -> None:
    counts = confusion(FOUND, LABELS, 4)
    assert class_area(counts).tolist() == pytest.approx([2 / 6, 3 / 6, 1 / 6, 0])
    *occurring, absent = class_iou(counts).tolist()
    assert occurring == pytest.approx([1 / 2, 2 / 4, 1 / 2])
    assert math.isnan(absent)


def test_a_class_that_was_only_imagined_does_not_count_among_those_that_occur() -> None:
    counts = confusion(torch.tensor([[[0, 1]]]), torch.tensor([[[0, 0]]]), 3)
    assert class_iou(counts)[:2].tolist() == [0.5, 0]
    assert mean_iou_of_occurring(counts).item() == 0.5


def test_figures_are_by_class_largest_area_first() -> None:
    counts = confusion(FOUND, LABELS, 4)
    figures = segmentation_figures(counts, ("sky", "road", "car", "cat"))
    assert figures["pixel_accuracy"] == pytest.approx(4 / 6)
    assert figures["mean_iou"] == figures["mean_iou_of_occurring"] == pytest.approx(0.5)
    iou, area = figures["class_iou"], figures["class_area"]
    assert list(iou) == list(area) == ["road", "sky", "car"]
    assert iou["road"] == pytest.approx(2 / 4)
    assert sum(area.values()) == pytest.approx(1)


def test_figures_of_everything_found_are_one() -> None:
    labels = torch.arange(3).repeat(4).view(1, 3, 4)
    figures = segmentation_figures(confusion(labels, labels, 3), ("a", "b", "c"))
    assert figures["mean_iou"] == figures["pixel_accuracy"] == 1
    assert set(figures["class_iou"].values()) == {1.0}
