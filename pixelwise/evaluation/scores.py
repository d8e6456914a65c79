"""A model's scores on every sample of a protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import Tensor

from pixelwise import images, metrics
from pixelwise.condition import Condition
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.evaluation.protocol import Protocol
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.translate import Translator

Progress = Callable[[int, int], object]
"""Is told how many samples of how many are done."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        model: what the model is called.
        protocol: how.
        targets_digest: SHA-256 of all that was compared with, in order, as float32 in [-1, 1]: figures whose digests
            differ were not measured on the same pictures.
        scores: of every sample by its name, every metric by its name.
    """

    model: str
    protocol: Protocol
    targets_digest: str
    scores: Mapping[str, Mapping[str, float]]

    def mean(self, metric: str) -> float:
        return fmean(scores[metric] for scores in self.scores.values())

    def to_json(self) -> dict[str, Any]:
        protocol = self.protocol
        return {
            "model": self.model,
            "protocol": protocol.name,
            "what": protocol.text,
            "names_sha256": protocol.names_digest,
            "targets_sha256": self.targets_digest,
            "samples": len(self.scores),
            "means": {metric: self.mean(metric) for metric in protocol.metrics},
            "scores": {name: dict(scores) for name, scores in self.scores.items()},
        }


def evaluate(
    translator: Translator, protocol: Protocol, root: Path, name: str = "", progress: Progress = lambda *_: None
) -> Evaluation:
    """Translates every sample by itself and compares it with its target.

    Args:
        translator: the model.
        protocol: what is measured.
        root: where its data lie.
        name: what to call the model; otherwise its family.
        progress: is told after every sample.

    Raises:
        InputError: a model that reads or makes something else than the protocol's samples hold; data that are not the
            protocol's, cannot be read, or are smaller than its source size; an output that is not a number.
    """
    samples = protocol.open(root)
    _check_suits(translator, samples, protocol)
    return score(translator.translate, name or translator.manifest.family, protocol, samples, progress)


def score(
    translate: Callable[[Condition], Tensor],
    name: str,
    protocol: Protocol,
    samples: PairedData,
    progress: Progress = lambda *_: None,
) -> Evaluation:
    """``evaluate`` of whatever makes pictures: a classical filter, a model of another library.

    Args:
        translate: from a condition, B = 1, to its picture, 1 C H W in [-1, 1].
        name: what to call it.
        protocol, progress: see ``evaluate``.
        samples: what the protocol opened.

    Raises:
        InputError: data that cannot be read, or no pictures.
    """
    target = _pictures(samples.target, protocol)
    scores, targets = {}, hashlib.sha256()
    for number in range(len(samples)):
        sample = samples[number]
        picture = translate(protocol.shown(sample.condition)).cpu()
        if protocol.rounded:
            picture = _as_stored(picture, target)
        scores[sample.names[0]] = metrics.scores(picture, sample, target, protocol.metrics)
        targets.update(sample.target.contiguous().numpy().tobytes())
        progress(number + 1, len(samples))
    return Evaluation(name, protocol, targets.hexdigest(), scores)


def _pictures(target: TargetSpec, protocol: Protocol) -> ImageSpec:
    if isinstance(target, LabelSpec):
        raise InputError(f"{protocol.name}: compares pictures; label maps have no protocol yet")
    return target


def _check_suits(translator: Translator, samples: PairedData, protocol: Protocol) -> None:
    read, held = translator.manifest.spec, samples.spec
    made, wanted = (_pictures(target, protocol) for target in (translator.manifest.target, samples.target))
    for what, reads, holds in (
        ("channels of the input picture", read.image_channels, held.image_channels),
        ("classes", read.num_labels, held.num_labels),
        ("channels of the output", made.channels, wanted.channels),
        ("the output's unit", made.unit, wanted.unit),
        *([("the output's white", made.white, wanted.white)] if wanted.unit else []),
    ):
        if reads != holds:
            raise InputError(f"{protocol.name}: {what}: the model has {reads!r}, the samples have {holds!r}")
    if read.instances and not held.instances:
        raise InputError(f"{protocol.name}: the model reads instance maps, the samples have none")


def _as_stored(picture: Tensor, target: ImageSpec) -> Tensor:
    return images.to_tensor(images.from_tensor(picture[0], target), target)[None]
