"""What the stream's convolutions read and write: cells whose norm and ReLU are left to whoever reads them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixelwise.lowres.band import parts_of


@dataclass(frozen=True)
class Activations:
    """max(cells * scale + shift, least): ``cells`` B h w C, ``scale`` and ``shift`` B C."""

    cells: Tensor
    scale: Tensor
    shift: Tensor
    least: float

    def values(self) -> Tensor:
        """B h w C."""
        return torch.addcmul(self.shift[:, None, None], self.cells, self.scale[:, None, None]).clamp_(min=self.least)

    def rows(self, which: slice) -> Activations:
        """Some rows of cells."""
        return replace(self, cells=self.cells[:, which])


class Moments(ABC):
    """Mean and biased variance of pictures' channels; called, both, B C each."""

    @abstractmethod
    def __call__(self) -> tuple[Tensor, Tensor]: ...

    def normalising(self, gain: Tensor, shift: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
        """An instance norm as scale and shift, B C each, from its gain and shift, C each, and epsilon."""
        mean, variance = self()
        scale = gain * (variance + epsilon).rsqrt()
        return scale.float(), (shift - mean * scale).float()


@dataclass(frozen=True)
class Convolved:
    """What a convolution made: ``cells`` B h w O, and their moments. Where a room's kernels wait it is still to be
    made: torch may read it after ``Room.finish``, unless the layer after the next was prepared before that."""

    cells: Tensor
    moments: Moments


@dataclass(frozen=True)
class CellMoments(Moments):
    """Of cells B h w O.

    ``torch.var_mean`` would take six times as long where channels come last.
    """

    cells: Tensor

    def __call__(self) -> tuple[Tensor, Tensor]:
        pictures, height, width, channels = self.cells.shape
        rows = [len(part) for part in parts_of(range(height), 4 * pictures * width * channels)]
        mean = _sum_of(part.sum((1, 2)) for part in self.cells.split(rows, dim=1)) / (height * width)
        mean = mean.to(self.cells.dtype)
        squares = ((part - mean[:, None, None]).square_().sum((1, 2)) for part in self.cells.split(rows, dim=1))
        return mean, (_sum_of(squares) / (height * width)).to(self.cells.dtype)


def _sum_of(parts: Iterable[Tensor]) -> Tensor:
    """Of parts that torch has added up in float32 each."""
    return torch.stack(list(parts)).double().sum(0)
