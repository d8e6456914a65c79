"""MEASURES: the table of contents. Each is made for what is examined and for its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.evaluation.measure import Figures, Measure, each
from pixelwise.evaluation.protocol import Protocol
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics import DEPTH_METRICS, METRICS, SEGMENTATION_METRICS, scores
from pixelwise.metrics.segmentation import confusion


@dataclass(frozen=True)
class Setting:
    """What is examined, and with what at hand.

    Attributes:
        protocol: what is measured.
        root: where its data lie.
    """

    protocol: Protocol
    root: Path


def _of_pictures(name: str, setting: Setting, samples: PairedData) -> Measure:
    """One of ``METRICS`` or ``DEPTH_METRICS``."""
    target = samples.target
    if not isinstance(target, ImageSpec):
        raise InputError(f"{setting.protocol.name}: {name} compares pictures, the samples' targets are label maps")

    def score(picture: Tensor, sample: PairedSample) -> float:
        return scores(picture, sample, target, (name,))[name]

    return each(name, score)


def _of_labels(setting: Setting, samples: PairedData) -> Measure:
    """Of the classes that a model finds."""
    target = samples.target
    if not isinstance(target, LabelSpec):
        raise InputError(f"{setting.protocol.name}: classes are compared, the samples' targets are pictures")

    def observe(labels: Tensor, sample: PairedSample) -> np.ndarray:
        return confusion(labels, sample.target, target.num_classes).numpy()

    return Measure("labels", observe, _of_confusions)


def _of_confusions(counts: Sequence[np.ndarray]) -> Figures:
    total = torch.from_numpy(np.sum(list(counts), axis=0))
    return {name: float(metric(total)) for name, metric in SEGMENTATION_METRICS.items()}


MEASURES: Mapping[str, Callable[[Setting, PairedData], Measure]] = {
    **{name: partial(_of_pictures, name) for name in (*METRICS, *DEPTH_METRICS)},
    "labels": _of_labels,
}
