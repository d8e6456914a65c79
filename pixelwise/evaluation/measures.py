"""MEASURES: the table of contents. Each is made for what is examined and for its samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.data.paired_data import PairedData
from pixelwise.device import find_device
from pixelwise.errors import InputError
from pixelwise.evaluation.distances import RealSet, distances
from pixelwise.evaluation.measure import Figures, Measure, Score, each
from pixelwise.evaluation.protocol import Protocol
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics import DEPTH_METRICS, METRICS, inception, scores
from pixelwise.metrics.fidelity import LEAST_SIDES
from pixelwise.metrics.frechet import FeatureStatistics, read_statistics
from pixelwise.metrics.lpips import BACKBONES, load_lpips
from pixelwise.metrics.seams import seams
from pixelwise.metrics.segmentation import confusion, segmentation_figures
from pixelwise.published_weights import PublishedWeights
from pixelwise.segmenters import Segmenter, segmenter_named

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

    def __post_init__(self) -> None:
        if self.weights is not None and not self.weights.is_dir():
            raise InputError(f"{self.weights}: no such folder of weights")

    def at_hand(self, published: PublishedWeights) -> Path | None:
        """The file in the folder of weights, if it is there."""
        path = None if self.weights is None else self.weights / published.url.rpartition("/")[2]
        return path if path is not None and path.is_file() else None


class UnavailableError(Exception):
    """A measure that cannot be taken here, and why. Others can."""


def _of_pictures(name: str, setting: Setting, samples: PairedData) -> Measure:
    """One of ``METRICS`` or ``DEPTH_METRICS``."""
    target = samples.target
    if not isinstance(target, ImageSpec):
        raise InputError(f"{setting.protocol.name}: {name} compares pictures, the samples' targets are label maps")

    def score(picture: Tensor, sample: PairedSample) -> float:
        return scores(picture, sample, target, (name,))[name]

    return _of_sides(LEAST_SIDES[name], name, score) if name in LEAST_SIDES else each(name, score)


def _seams(cell: int, setting: Setting, samples: PairedData) -> Measure:
    return each(f"seams_{cell}", lambda picture, sample: float(seams(picture, cell)), without_target=True)


def _lpips(backbone: str, setting: Setting, samples: PairedData) -> Measure:
    published = BACKBONES[backbone]
    weights, heads = setting.at_hand(published.weights), setting.at_hand(published.heads)
    network = load_lpips(published, weights, heads, setting.download)
    name = f"lpips_{backbone}"
    return _of_sides(published.min_size, name, lambda picture, sample: float(network(picture, sample.target)))


def _of_sides(least: int, name: str, score: Score) -> Measure:
    """Of pictures with so many pixels on a side. Smaller ones are left out and counted: one among a thousand must not
    cost what is measured of the others."""

    def score_if_large(picture: Tensor, sample: PairedSample) -> float:
        return score(picture, sample) if min(picture.shape[-2:]) >= least else math.nan

    def caveat(found: Sequence[np.ndarray]) -> str | None:
        small = sum(bool(np.isnan(score)) for score in found)
        return (
            f"{name} leaves out {small} of {len(found)} pictures, of less than {least} pixels on a side"
            if small
            else None
        )

    return replace(each(name, score_if_large), caveat=caveat)


def _inception(reduction: str, setting: Setting, samples: PairedData) -> Measure:
    """FID and KID, which are others with each way to reduce pictures."""
    statistics = _statistics(setting, reduction)
    file = setting.at_hand(inception.WEIGHTS)
    network = inception.load_inception(inception.REDUCTIONS[reduction], file, setting.download)
    names = f"fid_{reduction}", f"kid_{reduction}"
    return distances(_kind(reduction), names, _on(setting, network), _real_sets(setting, samples), statistics)


def _kind(reduction: str) -> str:
    return f"inception-{reduction}"


def _statistics(setting: Setting, reduction: str) -> FeatureStatistics | None:
    """Those that were given, if they are of features of pictures reduced so; such as do not say are as published."""
    if setting.statistics is None:
        return None
    found = read_statistics(setting.statistics)
    kinds = [_kind(each) for each in inception.REDUCTIONS]
    if found.features not in ("", *kinds) or found.dimensions != inception.NUM_FEATURES:
        raise InputError(
            f"{setting.statistics}: statistics of {found.dimensions} features {found.features!r}, expected "
            f"{inception.NUM_FEATURES} of {' or '.join(kinds)}"
        )
    return found if (found.features or _kind("published")) == _kind(reduction) else None


def _labels(setting: Setting, samples: PairedData) -> Measure:
    """Of the classes that a model finds."""
    spec = samples.target
    if not isinstance(spec, LabelSpec):
        raise InputError(f"{setting.protocol.name}: classes are compared, the samples' targets are pictures")
    return _of_classes("labels", spec, lambda labels: labels, lambda sample: sample.target)


def _segmentation(setting: Setting, samples: PairedData) -> Measure:
    """Of the classes that a segmenter finds in photos, and that their label maps asked for."""
    spec, segmenter = _segmenter(setting, samples)
    judged = setting.protocol.judged or spec
    index_of = {name: index for index, name in enumerate(judged.names)}
    judged_indices = torch.tensor([index_of.get(name, judged.num_classes) for name in (*spec.names, "")])

    def asked_for(sample: PairedSample) -> Tensor:
        assert sample.condition.labels is not None
        return judged_indices[sample.condition.labels.long()]

    name = f"segmentation by {_called(segmenter)}"
    measure = _of_classes(name, judged, segmenter.find, asked_for)
    return replace(measure, without_target=True, caveat=lambda counts: name)


def _segmenter_features(setting: Setting, samples: PairedData) -> Measure:
    """Distances that are no FID and no KID: of features that are a segmenter's."""
    _, segmenter = _segmenter(setting, samples)
    if segmenter.features is None:
        raise UnavailableError(f"no distances by {segmenter.name}: nothing says which of its layers are features")
    names = ("frechet_segmenter", "kernel_segmenter")
    return distances(f"features of {_called(segmenter)}", names, segmenter.features, _real_sets(setting, samples))


def _segmenter(setting: Setting, samples: PairedData) -> tuple[LabelSpec, Segmenter]:
    spec = samples.spec.labels
    if spec is None:
        raise InputError(f"{setting.protocol.name}: there are no label maps that pictures could be held against")
    if setting.segmenter is None:
        raise UnavailableError("no segmentation scores: no segmenter was given that finds the label maps' classes")
    return spec, segmenter_named(setting.segmenter, setting.protocol.judged or spec, setting.device)


def _called(segmenter: Segmenter) -> str:
    return f"{segmenter.name}, {segmenter.digest[:8]}"


def _of_classes(
    name: str, spec: LabelSpec, find: Callable[[Tensor], Tensor], asked_for: Callable[[PairedSample], Tensor]
) -> Measure:
    def observe(picture: Tensor, sample: PairedSample) -> np.ndarray:
        return confusion(find(picture).cpu(), asked_for(sample), spec.num_classes).numpy()

    def conclude(counts: Sequence[np.ndarray]) -> Figures:
        # One by one: of many pictures and classes they do not fit in memory together.
        total = np.zeros((spec.num_classes, spec.num_classes), np.int64)
        for of_picture in counts:
            total += of_picture
        return segmentation_figures(torch.from_numpy(total), spec.names)

    return Measure(name, observe, conclude)


def _on(setting: Setting, network: torch.nn.Module) -> Callable[[Tensor], Tensor]:
    """A network that finds features, where networks run."""
    device = find_device(setting.device)
    network.to(device)
    return lambda pictures: network(pictures.to(device))


def _real_sets(setting: Setting, samples: PairedData) -> list[RealSet]:
    """Of those splits that are there, with two pictures at least."""
    found = []
    for split in REAL_SPLITS:
        with suppress(InputError):
            found.append(RealSet(split, setting.protocol, setting.protocol.data(setting.root, split), setting.kept))
    found = [real for real in found if len(real.samples) > 1]
    if len(samples) < 2 or not (found or setting.statistics):
        raise UnavailableError(f"distances are of sets of two pictures or more, in split {' or '.join(REAL_SPLITS)}")
    return found


MEASURES: Mapping[str, Callable[[Setting, PairedData], Measure]] = {
    **{name: partial(_of_pictures, name) for name in (*METRICS, *DEPTH_METRICS)},
    **{f"seams_{cell}": partial(_seams, cell) for cell in (8, 16)},
    **{f"lpips_{name}": partial(_lpips, name) for name in BACKBONES},
    **{f"inception_{name}": partial(_inception, name) for name in inception.REDUCTIONS},
    "segmentation": _segmentation,
    "segmenter_features": _segmenter_features,
    "labels": _labels,
}
"""Each raises InputError where it does not suit the samples, ``UnavailableError`` or ``MissingWeightsError`` where
something is not at hand that it takes."""
