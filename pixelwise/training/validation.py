"""How good the averaged generator is on samples that it doesn't learn from: in numbers, and to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from pixelwise import images
from pixelwise.condition import ConditionSpec, PairedSample
from pixelwise.contact_sheet import condition_pictures, contact_sheet, target_pictures
from pixelwise.data.augment import Augment
from pixelwise.data.paired_data import PairedData
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics import SEGMENTATION_METRICS, scores, watched_metrics
from pixelwise.metrics.segmentation import confusion


class FixedSamples:
    """Some samples of a set, the same ones at every look, read anew each time.

    Args:
        samples: the set.
        augment: gives them the size that training sees: the middle, unflipped, and under the set's own noise and blur.
        limit: at most so many, spread evenly over the set.
    """

    def __init__(self, samples: PairedData, augment: Augment, limit: int) -> None:
        self.samples = samples
        self.augment = augment
        self.indices = spread(len(samples), limit)
        self.names = tuple(samples.names[index] for index in self.indices)

    def __iter__(self) -> Iterator[PairedSample]:
        return (self.augment.centred(self.samples[index]) for index in self.indices)


@torch.no_grad()
def validation_scores(generator: nn.Module, samples: Iterable[PairedSample], target: TargetSpec) -> dict[str, float]:
    """Every metric that training looks at of targets stored as ``target``, over all samples."""
    device = next(generator.parameters()).device
    outputs = ((generator(sample.condition.to(device)).image.float().cpu(), sample) for sample in samples)
    return _of_labels(outputs, target) if isinstance(target, LabelSpec) else _of_pictures(outputs, target)


def _of_pictures(outputs: Iterable[tuple[Tensor, PairedSample]], target: ImageSpec) -> dict[str, float]:
    """Means over the samples that have a measured pixel."""
    names = watched_metrics(target)
    rows = [scores(picture.clamp(-1, 1), sample, target, names) for picture, sample in outputs]
    return {name: float(torch.tensor([row[name] for row in rows]).nanmean()) for name in names}


def _of_labels(outputs: Iterable[tuple[Tensor, PairedSample]], target: LabelSpec) -> dict[str, float]:
    counts = sum(confusion(logits.argmax(1), sample.target, target.num_classes) for logits, sample in outputs)
    assert isinstance(counts, Tensor)
    return {name: float(metric(counts)) for name, metric in SEGMENTATION_METRICS.items()}


@torch.no_grad()
def write_sheet(
    path: Path, generator: nn.Module, samples: Iterable[PairedSample], spec: ConditionSpec, target: TargetSpec
) -> None:
    """Writes a picture with one row per sample: input, output, target."""
    device = next(generator.parameters()).device
    rows = []
    for sample in samples:
        output = generator(sample.condition.to(device)).image
        made = output.argmax(1) if isinstance(target, LabelSpec) else output
        pictures = (
            condition_pictures(sample.condition, spec),
            target_pictures(made, target),
            target_pictures(sample.target, target),
        )
        rows += [list(row) for row in zip(*pictures, strict=True)]
    images.write(path, contact_sheet(rows))


def spread(length: int, count: int) -> list[int]:
    """``count`` numbers of 0 … length - 1 at even distances, or all of them when there are no more."""
    return [place * length // min(count, length) for place in range(min(count, length))]
