"""MEASURES: the table of contents. Each is made for what is examined and for its samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.evaluation.distances import distances, real_sets
from pixelwise.evaluation.inception import inception_distances
from pixelwise.evaluation.measure import Figures, Measure, Score, each
from pixelwise.evaluation.protocol import Protocol
from pixelwise.evaluation.setting import Setting, UnavailableError, check_channels
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics import DEPTH_METRICS, METRICS, scores
from pixelwise.metrics.fidelity import LEAST_SIDES
from pixelwise.metrics.inception import REDUCTIONS
from pixelwise.metrics.lpips import BACKBONES, load_lpips
from pixelwise.metrics.seams import seams
from pixelwise.metrics.segmentation import confusion, segmentation_figures
from pixelwise.segmenters import Segmenter, segmenter_named

_LOOKED_AT = 3
"""Real photos that a segmenter is tried on."""


def _of_pictures(name: str, setting: Setting, samples: PairedData) -> Measure:
    """One of ``METRICS`` or ``DEPTH_METRICS``."""
    target = samples.target
    if not isinstance(target, ImageSpec):
        raise InputError(f"{setting.protocol.name}: {name} compares pictures, the samples' targets are label maps")

    def score(picture: Tensor, sample: PairedSample) -> float:
        return scores(picture, sample, target, (name,))[name]

    return _of_sides(LEAST_SIDES[name], name, score) if name in LEAST_SIDES else each(name, score)


def _seams(cell: int, setting: Setting, samples: PairedData) -> Measure:
    """Of pictures in which a border of cells lies, in whichever direction."""

    def score(picture: Tensor, sample: PairedSample) -> float:
        return float(seams(picture, cell)) if max(picture.shape[-2:]) > cell else math.nan

    return replace(_of_some(f"seams_{cell}", score, "no larger than a cell"), without_target=True)


def _lpips(backbone: str, setting: Setting, samples: PairedData) -> Measure:
    check_channels(samples, 1, 3)
    published = BACKBONES[backbone]
    weights, heads = setting.at_hand(published.weights), setting.at_hand(published.heads)
    network = load_lpips(published, weights, heads, setting.download)
    name = f"lpips_{backbone}"
    return _of_sides(published.min_size, name, lambda picture, sample: float(network(picture, sample.target)))


def _of_sides(least: int, name: str, score: Score) -> Measure:
    """Of pictures with so many pixels on a side."""

    def score_if_large(picture: Tensor, sample: PairedSample) -> float:
        return score(picture, sample) if min(picture.shape[-2:]) >= least else math.nan

    return _of_some(name, score_if_large, f"of less than {least} pixels on a side")


def _of_some(name: str, score: Score, others: str) -> Measure:
    """Of pictures whose score is a number. Others are left out and counted: one among a thousand must not cost what is
    measured of the rest."""

    def caveat(found: Sequence[np.ndarray]) -> str | None:
        left_out = sum(bool(np.isnan(score)) for score in found)
        return f"{name} leaves out {left_out} of {len(found)} pictures, {others}" if left_out else None

    return replace(each(name, score), caveat=caveat)


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
    told = filter(None, (segmenter.remark, _first_look(measure, judged, setting, samples)))
    remarks = tuple(f"{segmenter.name}: {text}" for text in told)
    return replace(measure, without_target=True, caveat=lambda counts: name, remarks=remarks)


def _first_look(measure: Measure, judged: LabelSpec, setting: Setting, samples: PairedData) -> str:
    """What is odd about the classes found in the first real photos, in words; empty: nothing.

    Raises InputError, before the work, where the segmenter cannot read them or makes something else than classes.
    """
    first = [setting.protocol.sample(samples, index) for index in range(min(_LOOKED_AT, len(samples)))]
    counts = np.sum([measure.observe(sample.target, sample) for sample in first], axis=0)
    found, wanted = np.flatnonzero(counts.sum(axis=0)), np.flatnonzero(counts.sum(axis=1))
    if len(found) > 1 or len(wanted) < 2:
        return ""
    return (
        f"finds nothing but {judged.names[found[0]]!r} in the first {len(first)} real photos, whose label maps have "
        f"{len(wanted)} classes: it may read other numbers than are stated, or find other classes"
    )


def _segmenter_features(setting: Setting, samples: PairedData) -> Measure:
    """Distances that are no FID and no KID: of features that are a segmenter's."""
    _, segmenter = _segmenter(setting, samples)
    if segmenter.features is None:
        raise UnavailableError(f"no distances by {segmenter.name}: nothing says which of its layers are features")
    names = ("frechet_segmenter", "kernel_segmenter")
    return distances(f"features of {_called(segmenter)}", names, segmenter.features, real_sets(setting, samples))


def _segmenter(setting: Setting, samples: PairedData) -> tuple[LabelSpec, Segmenter]:
    spec = samples.spec.labels
    if spec is None:
        raise InputError(f"{setting.protocol.name}: there are no label maps that pictures could be held against")
    if setting.segmenter is None:
        raise UnavailableError("no segmentation scores: no segmenter was given that finds the label maps' classes")
    check_channels(samples, 3)
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


MEASURES: Mapping[str, Callable[[Setting, PairedData], Measure]] = {
    **{name: partial(_of_pictures, name) for name in (*METRICS, *DEPTH_METRICS)},
    **{f"seams_{cell}": partial(_seams, cell) for cell in (8, 16)},
    **{f"lpips_{name}": partial(_lpips, name) for name in BACKBONES},
    **{f"inception_{name}": partial(inception_distances, name) for name in REDUCTIONS},
    "segmentation": _segmentation,
    "segmenter_features": _segmenter_features,
    "labels": _labels,
}
"""Each raises InputError where it does not suit the samples, ``UnavailableError`` or ``MissingWeightsError`` where
something is not at hand that it takes."""

_BY_SEGMENTERS = ("segmentation", "segmenter_features")
_BY_PUBLISHED_WEIGHTS = tuple(name for name in MEASURES if name.startswith(("lpips_", "inception_")))

TAKERS: Mapping[str, Sequence[str]] = {
    "segmenter": _BY_SEGMENTERS,
    "weights": _BY_PUBLISHED_WEIGHTS,
    "download": _BY_PUBLISHED_WEIGHTS,
}
"""What of a ``Setting`` only some of ``MEASURES`` take, and which."""


def takes(protocol: Protocol, name: str) -> bool:
    """Whether a protocol measures something that takes what a ``Setting`` calls so."""
    return not {*TAKERS[name]}.isdisjoint(protocol.measures)
