"""MEASURES: the table of contents. Each is made for what is examined and for its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.evaluation.distances import RealSet, distances
from pixelwise.evaluation.measure import Figures, Measure, each
from pixelwise.evaluation.protocol import Protocol
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics import DEPTH_METRICS, METRICS, scores
from pixelwise.metrics.inception import REDUCTIONS, load_inception
from pixelwise.metrics.lpips import BACKBONES, load_lpips
from pixelwise.metrics.segmentation import confusion, segmentation_figures
from pixelwise.segmenters import segmenter_named

REAL_SPLITS = ("train", "val")
"""Of a data set, that sets of pictures are compared with, as far as they are there."""


@dataclass(frozen=True)
class Setting:
    """What is examined, and with what at hand. A process can be given it.

    Attributes:
        protocol: what is measured.
        root: where its data lie.
        segmenter: the file of a network that finds the label maps' classes in photos; see ``segmenter_named``.
        weights: a folder of published weights under their published names, besides torch's cache.
        download: whether those that are not there are fetched.
        statistics: published statistics of Inception's features (``.npz``), for one more FID.
        device: where these networks run.
        kept: a folder for what was found in real pictures; None: it is found anew each time.
    """

    protocol: Protocol
    root: Path
    segmenter: str | None = None
    weights: Path | None = None
    download: bool = False
    statistics: Path | None = None
    device: str = "auto"
    kept: Path | None = None

    def at_hand(self, published: PublishedWeights) -> Path | None:
        """The file in the folder of weights, if it is there."""
        path = None if self.weights is None else self.weights / published.url.rpartition("/")[2]
        return path if path is not None and path.is_file() else None


class Unavailable(Exception):
    """A measure that cannot be taken here; why, in words. Others can."""


def _of_pictures(name: str, setting: Setting, samples: PairedData) -> Measure:
    """One of ``METRICS`` or ``DEPTH_METRICS``."""
    target = samples.target
    if not isinstance(target, ImageSpec):
        raise InputError(f"{setting.protocol.name}: {name} compares pictures, the samples' targets are label maps")

    def score(picture: Tensor, sample: PairedSample) -> float:
        return scores(picture, sample, target, (name,))[name]

    return each(name, score)


def _lpips(backbone: str, setting: Setting, samples: PairedData) -> Measure:
    published = BACKBONES[backbone]
    weights, heads = setting.at_hand(published.weights), setting.at_hand(published.heads)
    network = load_lpips(published, weights, heads, setting.download)
    return each(f"lpips_{backbone}", lambda picture, sample: float(network(picture, sample.target)))


def _inception(reduction: str, setting: Setting, samples: PairedData) -> Measure:
    """FID and KID."""
    weights = setting.at_hand(INCEPTION)
    network = load_inception(REDUCTIONS[reduction], weights, setting.download).to(find_device(setting.device))
    return distances(f"inception-{reduction}", "fid", "kid", network, _real_sets(setting), setting.statistics)


def _labels(setting: Setting, samples: PairedData) -> Measure:
    """Of the classes that a model finds."""
    spec = samples.target
    if not isinstance(spec, LabelSpec):
        raise InputError(f"{setting.protocol.name}: classes are compared, the samples' targets are pictures")
    return _of_classes("labels", spec, lambda labels: labels, lambda sample: sample.target)


def _segmentation(setting: Setting, samples: PairedData) -> Measure:
    """Of the classes that a segmenter finds in a model's photos, and that their label maps asked for."""
    spec = samples.spec.labels
    if spec is None:
        raise InputError(f"{setting.protocol.name}: there are no label maps that pictures could be held against")
    if setting.segmenter is None:
        raise Unavailable("no segmentation scores: give a segmenter, a network that finds the label maps' classes")
    segmenter = segmenter_named(setting.segmenter, spec, setting.device)

    def asked_for(sample: PairedSample) -> Tensor:
        assert sample.condition.labels is not None
        return sample.condition.labels

    name = f"segmentation by {segmenter.name}, {segmenter.digest[:8]}"
    return replace(_of_classes(name, spec, segmenter.find, asked_for), without_target=True)


def _of_classes(
    name: str, spec: LabelSpec, find: Callable[[Tensor], Tensor], asked_for: Callable[[PairedSample], Tensor]
) -> Measure:
    def observe(picture: Tensor, sample: PairedSample) -> np.ndarray:
        return confusion(find(picture).cpu(), asked_for(sample), spec.num_classes).numpy()

    def conclude(counts: Sequence[np.ndarray]) -> Figures:
        return segmentation_figures(torch.from_numpy(np.sum(list(counts), axis=0)), spec.names)

    return Measure(name, observe, conclude)


def _real_sets(setting: Setting) -> list[RealSet]:
    """Those splits that are there."""
    found = []
    for split in dict.fromkeys((*REAL_SPLITS, setting.protocol.split)):
        with suppress(InputError):
            found.append(RealSet(split, setting.protocol, setting.protocol.data(setting.root, split), setting.kept))
    return found


MEASURES: Mapping[str, Callable[[Setting, PairedData], Measure]] = {
    **{name: partial(_of_pictures, name) for name in (*METRICS, *DEPTH_METRICS)},
    **{f"lpips_{name}": partial(_lpips, name) for name in BACKBONES},
    **{f"inception_{name}": partial(_inception, name) for name in REDUCTIONS},
    "segmentation": _segmentation,
    "labels": _labels,
}
"""Each raises InputError where it does not suit the samples, ``Unavailable`` or ``MissingWeightsError`` where what it
takes is not at hand."""
