"""A process of its own: prints by how many bytes memory grows while so many pictures are evaluated, for each argument.

Everything is real but the pictures, which are drawn when they are asked for, and the segmenter, which knows nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.data.stored_set import StoredSet
from pixelwise.evaluation import Protocol, Setting, distances, measures, prepare, score
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics.complexity import CPU
from pixelwise.metrics.memory import grown_bytes
from pixelwise.segmenters import Segmenter

SIDE = 32
NUM_CLASSES = 40
NUM_FEATURES = 512


class DrawnPairs:
    """So many pairs, of which none is held."""

    spec = ConditionSpec(LabelSpec(tuple(map(str, range(NUM_CLASSES)))))
    image = None
    target = ImageSpec()
    degrade = None

    def __init__(self, count: int) -> None:
        self.names = tuple(map(str, range(count)))

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> PairedSample:
        numbers = torch.Generator().manual_seed(index)
        labels = torch.randint(NUM_CLASSES, (1, SIDE, SIDE), generator=numbers)
        picture = torch.rand(1, 3, SIDE, SIDE, generator=numbers) * 2 - 1
        return PairedSample(Condition(labels=labels), picture, (self.names[index],))


def random_segmenter() -> Segmenter:
    classes = nn.Conv2d(3, NUM_CLASSES, 3, padding=1).requires_grad_(False)
    features = nn.Linear(3 * SIDE * SIDE, NUM_FEATURES, dtype=torch.float64).requires_grad_(False)
    return Segmenter(
        "random",
        NUM_CLASSES,
        lambda pictures: classes(pictures).argmax(dim=1),
        "0" * 64,
        lambda pictures: features(pictures.double().flatten(1)),
    )


def noise(condition: Condition) -> Tensor:
    return torch.rand(1, 3, *condition.size) - 0.5


def evaluate(count: int) -> Tensor:
    data = StoredSet(lambda root, split: root, lambda layout: DrawnPairs(count))  # type: ignore[arg-type,return-value]
    taken = ("psnr", "ssim", "l1", "segmentation", "segmenter_features")
    protocol = Protocol("drawn-v1", data, "val", "", taken, True, "drawn")
    examination = prepare(Setting(protocol, Path(), segmenter="random", device="cpu"))
    assert len(examination.measures) == len(taken)
    figures = score(noise, "noise", examination).figures
    assert {"psnr", "mean_iou", "frechet_segmenter_train", "kernel_segmenter_val"} <= figures.keys()
    return torch.tensor(figures["mean_iou"])


def main() -> None:
    torch.set_num_threads(1)
    segmenter = random_segmenter()
    measures.segmenter_named = lambda *_: segmenter  # type: ignore[assignment]
    # A kernel distance holds a subset of either set by design; one that does not grow with them shows all else.
    distances.SUBSET = 50
    evaluate(20)
    print(*(grown_bytes(lambda count=count: evaluate(count), CPU) for count in map(int, sys.argv[1:])))


if __name__ == "__main__":
    main()
