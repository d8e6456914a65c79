"""Where the rows, or the columns, of an output lie among the cells of a field.

What is rendered may be a part of the image, and finer or coarser than it. All of that is in two axes, so that engines
know nothing of windows and scales: an axis says for each of its pixels which cells' MLPs act on it, in which shares,
and the code of its position.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from pixelwise.render.field import PixelwiseField, code_periods
from pixelwise.render.window import Window, centre


@dataclass(frozen=True)
class Block:
    """A run of pixels of one axis on which the same cells act.

    Attributes:
        pixels: where the run begins and ends, as a slice of the axis.
        cells: the cell (nearest parameters), or the two between whose centres the run lies (bilinear). Beyond the
            outermost centres both are the same.
    """

    pixels: slice
    cells: tuple[int, ...]

    def __len__(self) -> int:
        return int(self.pixels.stop - self.pixels.start)


@dataclass(frozen=True)
class Axis:
    """N pixels in a row, on the CPU. Pictures of one size share the memory of all this: only to be read.

    Attributes:
        positions: N float64, their centres in pixels of the input, whose first pixel's centre lies at 0.
        blocks: they cover the pixels in order, without gaps.
        shares: N K float64, shares of the block's K cells in the parameters at each pixel.
        code: N 2R float32, cosine and sine of the position for each of R periods, longest first (Sec. 3.3).
    """

    positions: Tensor
    blocks: tuple[Block, ...]
    shares: Tensor
    code: Tensor

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def longest(self) -> int:
        """Pixels of the longest block."""
        return max(map(len, self.blocks))

    def cut(self, most: int) -> Axis:
        """The same pixels, in blocks of at most so many, or of one."""
        step = max(1, most)
        blocks = (
            Block(slice(start, min(start + step, block.pixels.stop)), block.cells)
            for block in self.blocks
            for start in range(block.pixels.start, block.pixels.stop, step)
        )
        return replace(self, blocks=tuple(blocks))


def axis(field: PixelwiseField, first: int, count: int, scale: float, dim: int) -> Axis:
    """The pixels ``first`` to ``first + count - 1`` of an output of ``scale`` times as many pixels as the input.

    Args:
        field: whose cells are meant.
        first: of the whole output's pixels; below 0 it lies before the image.
        scale: see ``positions``.
        dim: 0 for rows, 1 for columns.
    """
    num_cells, code_cell = field.parameters.shape[2 + dim], field.cell if field.pixel_code else 1
    centres, blocks, shares, code = _laid_out(
        first, count, scale, field.cell, field.bilinear, code_cell, field.first_cell[dim], num_cells
    )
    return Axis(torch.from_numpy(centres), blocks, torch.from_numpy(shares), torch.from_numpy(code))


def positions(first: int, count: int, scale: float) -> Tensor:
    """``Axis.positions`` of an output's pixels: pixel i has its centre at (i + 1/2) / scale - 1/2."""
    return torch.from_numpy(_positions(first, count, scale))


def _positions(first: int, count: int, scale: float) -> np.ndarray:
    index = np.arange(first, first + count, dtype=np.float64)
    return index if scale == 1 else (index + 0.5) / scale - 0.5


@lru_cache(maxsize=16)
def _laid_out(
    first: int, count: int, scale: float, cell: int, bilinear: bool, code_cell: int, first_cell: int, num_cells: int
) -> tuple[np.ndarray, tuple[Block, ...], np.ndarray, np.ndarray]:
    """What an axis holds, as arrays: what torch makes in inference mode, or for a device by default, would be of no use
    to the next picture."""
    centres = _positions(first, count, scale)
    places = (centres + 0.5) / cell - (0.5 if bilinear else 0)
    before = np.floor(places)
    after = places - before
    shares = np.stack([1 - after, after], axis=1) if bilinear else np.ones((count, 1))
    blocks = tuple(_blocks(before.astype(int).tolist(), bilinear, first_cell, num_cells))
    return centres, blocks, shares, _code(centres, code_cell)


def visible_cells(
    cell: int, bilinear: bool, grid: tuple[int, int], window: Window, scale: float = 1.0
) -> tuple[int, int, int, int]:
    """(top, left, height, width), in cells, of those whose MLPs act on a window of the output.

    Args:
        cell: S.
        bilinear: whether parameters are interpolated.
        grid: (rows, columns) of cells that the image has.
        window: in pixels of the output, ``scale`` of them to a pixel of the image.
    """
    spans = []
    for start, count, num_cells in zip((window.top, window.left), (window.height, window.width), grid, strict=True):
        places = [centre(pixel, scale) / cell - 0.5 * bilinear for pixel in (start, start + count - 1)]
        first, last = (min(max(math.floor(place), 0), num_cells - 1) for place in (places[0], places[1] + bilinear))
        spans.append((first, last - first + 1))
    (top, height), (left, width) = spans
    return top, left, height, width


def _blocks(before: list[int], bilinear: bool, first_cell: int, num_cells: int) -> Iterator[Block]:
    start = 0
    for cell, run in itertools.groupby(before):
        stop = start + sum(1 for _ in run)
        neighbours = (cell, cell + 1) if bilinear else (cell,)
        yield Block(slice(start, stop), tuple(min(max(c - first_cell, 0), num_cells - 1) for c in neighbours))
        start = stop


def _code(positions: np.ndarray, cell: int) -> np.ndarray:
    periods = code_periods(cell)
    if not periods:
        return np.empty((len(positions), 0), np.float32)
    # All of them begin anew with the longest one: of a long axis few positions are different.
    distinct, which = np.unique(positions % max(periods), return_inverse=True)
    # Reduced to one period first: far from the origin float32 would lose the phase.
    phase = 2 * np.pi * (distinct[:, None] % np.array(periods) / periods)
    code: np.ndarray = np.stack([np.cos(phase), np.sin(phase)], axis=2).reshape(len(distinct), -1)
    return code.astype(np.float32)[which]
