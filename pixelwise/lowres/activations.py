"""What the stream's convolutions read and write: cells whose norm and ReLU are left to whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


@dataclass(frozen=True)
class Convolved:
    """What a convolution made: ``cells`` B h w O, and how to learn their mean and (biased) variance, B O each."""

    cells: Tensor
    moments: Callable[[], tuple[Tensor, Tensor]]


class Room:
    """Memory that convolutions use in turn: new memory would cost each of them page faults."""

    def __init__(self) -> None:
        self._memory = torch.empty(0, dtype=torch.float32)

    def take(self, count: int) -> Tensor:
        """At least ``count`` floats, which hold anything."""
        if len(self._memory) < count:
            self._memory = self._memory.new_empty(count)
        return self._memory


def moments(statistics: Tensor, group_cells: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance, B O, from the groups' means and sums of squared deviations, B G 2 O, and numbers of cells."""
    means, deviations = statistics.unbind(2)
    if len(group_cells) == 1:
        return means[:, 0], deviations[:, 0] / group_cells
    counts, num_cells = group_cells[:, None], group_cells.sum()
    mean = (means * counts).sum(1) / num_cells
    between = (means - mean[:, None]).square() * counts
    return mean, (deviations + between).sum(1) / num_cells


def moments_of(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance, B O, of cells B h w O.

    ``torch.var_mean`` would take six times as long where channels come last.
    """
    pictures, height, width, channels = cells.shape
    rows = [len(part) for part in parts_of(range(height), 4 * pictures * width * channels)]
    mean = _sum_of(part.sum((1, 2)) for part in cells.split(rows, dim=1)) / (height * width)
    mean = mean.to(cells.dtype)
    squares = _sum_of((part - mean[:, None, None]).square_().sum((1, 2)) for part in cells.split(rows, dim=1))
    return mean, (squares / (height * width)).to(cells.dtype)


def _sum_of(parts: Iterable[Tensor]) -> Tensor:
    """Of parts that torch has added up in float32 each."""
    return torch.stack(list(parts)).double().sum(0)
