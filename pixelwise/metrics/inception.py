"""Inception v3 as the Fréchet Inception Distance uses it, and how pictures are made ready for it.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, Table 1. The weights are of
TensorFlow, 5 December 2015, as pytorch-fid brought them to torch. The network is not quite the paper's: it keeps the
5 x 5 convolutions of Fig. 4 where the table has Fig. 5, its average pools do not count what lies beyond the border, and
the pool of its last block takes the maximum.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.layers.folded import folded
from pixelwise.published_weights import PublishedWeights

WEIGHTS = PublishedWeights(
    "Inception v3 (FID)",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    "6726825d",
)

NUM_FEATURES = 2048
SIZE = 299
"""Height and width of what the network reads, in pixels."""

Reduction = Callable[[Tensor], Tensor]
"""From grey levels B 3 H W, whole numbers 0..255, to B 3 299 299 as the network reads them, about [-1, 1]."""


def bilinear_without_antialiasing(levels: Tensor) -> Tensor:
    """As most papers did, by pytorch-fid: each pixel of 299 x 299 is interpolated between four of the picture's.

    What lies between those is never looked at, so that a large picture is aliased. 0..255 becomes -1..1.
    """
    return F.interpolate(levels / 255, (SIZE, SIZE), mode="bilinear", align_corners=False) * 2 - 1


def bicubic_with_antialiasing(levels: Tensor) -> Tensor:
    """As Parmar, Zhang and Zhu ("On Aliased Resizing and Surprising Subtleties in GAN Evaluation", CVPR 2022) ask for.

    It is Pillow's bicubic filter on every channel as floats, not rounded again, but clipped to 0..255, beyond which it
    overshoots. 128 becomes 0, as in the network's training: (x - 128) / 128.
    """
    # In single precision the filter lies a little beside its place, and values are off by thousandths of a grey level.
    reduced = F.interpolate(levels.double(), (SIZE, SIZE), mode="bicubic", align_corners=False, antialias=True)
    return ((reduced.clamp(0, 255) - 128) / 128).float()


REDUCTIONS: Mapping[str, Reduction] = {
    "published": bilinear_without_antialiasing,
    "clean": bicubic_with_antialiasing,
}
"""Distances after different ones do not compare: the name is a part of the protocol's."""


class InceptionFeatures(nn.Module):
    """From pictures to Inception's last pooling.

    Args:
        network: with its trained weights; ``load_inception`` reads them.
        reduction: how pictures become 299 x 299.
    """

    def __init__(self, network: InceptionV3, reduction: Reduction) -> None:
        super().__init__()
        self.network, self.reduction = network, reduction

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """B 2048.

        Args:
            pictures: B 3 H W, or B 1 H W for grey, in [-1, 1]. They are clipped and rounded to 8 bits first, as if they
                came from files.

        Raises:
            InputError: another number of channels.
        """
        if pictures.dim() != 4 or pictures.shape[1] not in (1, 3):
            raise InputError(f"pictures are {tuple(pictures.shape)}, Inception expects B 1 or 3 H W")
        levels = ((pictures.float().clamp(-1, 1) + 1) * 127.5).round()
        features: Tensor = self.network(self.reduction(levels.expand(-1, 3, -1, -1)))
        return features


def load_inception(reduction: Reduction, path: Path | None = None, download: bool = False) -> InceptionFeatures:
    """Inception with its published weights, on the CPU, its norms merged into the convolutions.

    Args:
        reduction: one of ``REDUCTIONS``.
        path: ``pt_inception-2015-12-05-6726825d.pth``. None: the one in torch's cache of published weights.
        download: whether to fetch the file (95 MB) when ``path`` is None and the cache has none.

    Raises:
        MissingWeightsError: no path was given, and the file is neither in the cache nor to be had.
        InputError: no file at ``path``, a file with another SHA-256, or one without these weights.
    """
    return InceptionFeatures(folded(WEIGHTS.load(InceptionV3, path, download)), reduction)


Kernel = tuple[int, int]
Pool = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Step:
    """A convolution of a branch.

    Attributes:
        channels: of its output.
        kernels: (height, width). Two of them work side by side, and their outputs are joined (Fig. 7).
        stride: with 1 the size stays; with 2 nothing is padded (Fig. 10).
    """

    channels: int
    kernels: tuple[Kernel, ...] = ((1, 1),)
    stride: int = 1


Branches = Mapping[str, Sequence[Step]]
"""By their published names; each reads the block's input."""

_3X3, _5X5, _1X7, _7X1 = ((3, 3),), ((5, 5),), ((1, 7),), ((7, 1),)
_FORK = ((1, 3), (3, 1))


def _average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, stride=1, padding=1)


def _halved(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, stride=2)


_FIGURE_4: Branches = {
    "branch1x1": [Step(64)],
    "branch5x5": [Step(48), Step(64, _5X5)],
    "branch3x3dbl": [Step(64), Step(96, _3X3), Step(96, _3X3)],
}
_TO_17: Branches = {
    "branch3x3": [Step(384, _3X3, stride=2)],
    "branch3x3dbl": [Step(64), Step(96, _3X3), Step(96, _3X3, stride=2)],
}
_TO_8: Branches = {
    "branch3x3": [Step(192), Step(320, _3X3, stride=2)],
    "branch7x7x3": [Step(192), Step(192, _1X7), Step(192, _7X1), Step(192, _3X3, stride=2)],
}
_FIGURE_7: Branches = {
    "branch1x1": [Step(320)],
    "branch3x3": [Step(384), Step(384, _FORK)],
    "branch3x3dbl": [Step(448), Step(384, _3X3), Step(384, _FORK)],
}


def _figure_6(width: int) -> Branches:
    return {
        "branch1x1": [Step(192)],
        "branch7x7": [Step(width), Step(width, _1X7), Step(192, _7X1)],
        "branch7x7dbl": [Step(width), Step(width, _7X1), Step(width, _1X7), Step(width, _7X1), Step(192, _1X7)],
    }


class InceptionV3(nn.Module):
    """From B 3 299 299, about [-1, 1], to the features B 2048; for inference only, parameters named as published.

    It has 21 785 568 parameters: the published 23 850 960 less the classifier's 2 065 392 (2048 features and a bias for
    each of 1008 classes), which no feature needs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = normed_convolution(3, 32, (3, 3), stride=2)
        self.Conv2d_2a_3x3 = normed_convolution(32, 32, (3, 3))
        self.Conv2d_2b_3x3 = normed_convolution(32, 64, (3, 3), padding=(1, 1))
        self.Conv2d_3b_1x1 = normed_convolution(64, 80, (1, 1))
        self.Conv2d_4a_3x3 = normed_convolution(80, 192, (3, 3))
        self.Mixed_5b = Block(192, _FIGURE_4, _average, 32)
        self.Mixed_5c = Block(256, _FIGURE_4, _average, 64)
        self.Mixed_5d = Block(288, _FIGURE_4, _average, 64)
        self.Mixed_6a = Block(288, _TO_17, _halved)
        self.Mixed_6b = Block(768, _figure_6(128), _average, 192)
        self.Mixed_6c = Block(768, _figure_6(160), _average, 192)
        self.Mixed_6d = Block(768, _figure_6(160), _average, 192)
        self.Mixed_6e = Block(768, _figure_6(192), _average, 192)
        self.Mixed_7a = Block(768, _TO_8, _halved)
        self.Mixed_7b = Block(1280, _FIGURE_7, _average, 192)
        self.Mixed_7c = Block(2048, _FIGURE_7, _maximum, 192)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(_halved(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(_halved(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))


class Block(nn.Module):
    """Branches on the same input, and a pool; what they make is joined.

    Args:
        in_channels: of the input.
        branches: of convolutions.
        pool: the last branch.
        pool_channels: of the convolution after the pool; 0 for none.
    """

    def __init__(self, in_channels: int, branches: Branches, pool: Pool, pool_channels: int = 0) -> None:
        super().__init__()
        self.pool = pool
        self.branches = [self._add(name, in_channels, steps) for name, steps in branches.items()]
        self.after_pool = self._add("branch_pool", in_channels, [Step(pool_channels)] if pool_channels else [])

    def forward(self, x: Tensor) -> Tensor:
        """B in_channels H W to B the sum of all channels H W, or about half of H and W."""
        outputs = [self._follow(branch, x) for branch in self.branches]
        return torch.cat([*outputs, self._follow(self.after_pool, self.pool(x))], dim=1)

    def _add(self, branch: str, in_channels: int, steps: Sequence[Step]) -> list[list[str]]:
        """Makes a branch's convolutions and returns their names, step by step."""
        names = []
        for number, step in enumerate(steps, start=1):
            letters = [""] if len(step.kernels) == 1 else ["a", "b"]
            names.append([branch if len(steps) == 1 else f"{branch}_{number}{letter}" for letter in letters])
            for name, kernel in zip(names[-1], step.kernels, strict=True):
                padding = (kernel[0] // 2, kernel[1] // 2) if step.stride == 1 else (0, 0)
                self.add_module(name, normed_convolution(in_channels, step.channels, kernel, step.stride, padding))
            in_channels = step.channels * len(step.kernels)
        return names

    def _follow(self, branch: list[list[str]], x: Tensor) -> Tensor:
        for names in branch:
            outputs = [self.get_submodule(name)(x) for name in names]
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)
        return x


def normed_convolution(
    in_channels: int, out_channels: int, kernel: Kernel, stride: int = 1, padding: tuple[int, int] = (0, 0)
) -> nn.Sequential:
    """B in_channels H W to B out_channels H' W': a convolution without bias, batch norm, ReLU; named as published."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False)
    layers = {"conv": convolution, "bn": nn.BatchNorm2d(out_channels, eps=1e-3), "relu": nn.ReLU(inplace=True)}
    return nn.Sequential(OrderedDict(layers))
