"""How good the averaged generator is on samples that it doesn't learn from: in numbers, and to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import nn

from pixelwise import images
from pixelwise.condition import ConditionSpec, PairedSample
from pixelwise.contact_sheet import condition_pictures, contact_sheet, tensor_pictures
from pixelwise.data.augment import Augment
from pixelwise.data.paired_data import PairedData
from pixelwise.images import ImageSpec
from pixelwise.metrics import metrics_of, scores


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

    def __iter__(self) -> Iterator[PairedSample]:
        return (self.augment.centred(self.samples[index]) for index in self.indices)


@torch.no_grad()
def validation_scores(generator: nn.Module, samples: Iterable[PairedSample], target: ImageSpec) -> dict[str, float]:
    """Of every metric that fits targets stored as ``target``, the mean over all samples that have a measured pixel."""
    device, names = next(generator.parameters()).device, metrics_of(target)
    rows = []
    for sample in samples:
        picture = generator(sample.condition.to(device)).image.float().clamp(-1, 1).cpu()
        rows.append(scores(picture, sample, target, names))
    return {name: float(torch.tensor([row[name] for row in rows]).nanmean()) for name in names}


@torch.no_grad()
def write_sheet(path: Path, generator: nn.Module, samples: Iterable[PairedSample], spec: ConditionSpec) -> None:
    """Writes a picture with one row per sample: input, output, target."""
    device = next(generator.parameters()).device
    rows = []
    for sample in samples:
        output = generator(sample.condition.to(device)).image
        pictures = (condition_pictures(sample.condition, spec), tensor_pictures(output), tensor_pictures(sample.target))
        rows += [list(row) for row in zip(*pictures, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, contact_sheet(rows))


def spread(length: int, count: int) -> list[int]:
    """``count`` numbers of 0 … length - 1 at even distances, or all of them when there are no more."""
    return [place * length // min(count, length) for place in range(min(count, length))]
