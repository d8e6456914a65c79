"""3 x 3 convolution by Winograd's minimal filtering, by torch; see transforms.py. Filters are transformed once."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.lowres.activations import Activations, Convolved, Room, moments_of
from pixelwise.lowres.band import Band, convolved_band
from pixelwise.lowres.packed_linear import PackedLinear
from pixelwise.lowres.padding import check_padding, padded
from pixelwise.lowres.transforms import POSITIONS, transformed, transforms

_TILES_BYTES = 8 << 20
"""About as much memory as transformed tiles take at a time: they should still be in the cache when they are multiplied,
and be enough to be worth reading the weights."""

_FILTERS = 16
"""How many are transformed at a time: in float64 they take memory."""


class TorchConvolution:
    """What ``WinogradConvolution`` does, by torch; of any numbers of channels."""

    def __init__(self, weight: Tensor, padding: str) -> None:
        self.outputs, self.inputs = weight.shape[:2]
        self._padding = padding
        matrices = weight.new_empty(POSITIONS, *weight.shape[:2])
        for rows, filters in zip(matrices.split(_FILTERS, dim=1), weight.split(_FILTERS), strict=True):
            rows.copy_(transformed(filters).mT)
        self._products = [PackedLinear(matrix) for matrix in matrices]

    def __call__(self, x: Activations, room: Room, band: Band | None = None) -> Convolved:
        """As ``WinogradConvolution``."""
        values = x.values().permute(0, 3, 1, 2)
        images, _, at_hand, width = values.shape
        band = convolved_band(band, images, at_hand, 1)
        check_padding(band.height, width, self._padding)
        height, values = len(band.wanted), padded(values, band, 1, self._padding)
        tiles = F.pad(values, (0, -width % 4, 0, -height % 4)).unfold(2, 6, 4).unfold(3, 6, 4)
        made = values.new_empty(images, tiles.shape[2], 4, tiles.shape[3], 4, self.outputs)
        rows = max(1, _TILES_BYTES // (4 * POSITIONS * self.inputs * images * tiles.shape[3]))
        for some, there in zip(tiles.split(rows, dim=2), made.split(rows, dim=1), strict=True):
            self._convolve(some, there, room)
        cells = made.flatten(3, 4).flatten(1, 2)[:, :height, :width]
        return Convolved(cells, partial(moments_of, cells))

    def _convolve(self, tiles: Tensor, out: Tensor, room: Room) -> None:
        """Tiles B C high wide 6 6 to ``out``, B high 4 wide 4 O.

        Two pieces of memory are enough, since each step reads only what the one before has written.
        """
        images, _, high, wide = tiles.shape[:4]
        num_tiles = images * high * wide
        one, other = room.take(2 * POSITIONS * num_tiles * max(self.inputs, self.outputs)).chunk(2)
        gathered, inputs = (_matrix(memory, POSITIONS, num_tiles * self.inputs) for memory in (one, other))
        gathered.view(6, 6, images, high, wide, -1).copy_(tiles.permute(4, 5, 0, 2, 3, 1))
        torch.mm(transforms().tiles, gathered, out=inputs)
        products = _matrix(one, POSITIONS, num_tiles * self.outputs)
        for product, row, made in zip(self._products, inputs, products, strict=True):
            made.view(num_tiles, -1).copy_(product(row.view(num_tiles, -1)))
        made = torch.mm(transforms().products, products, out=_matrix(other, 16, num_tiles * self.outputs))
        out.copy_(made.view(4, 4, images, high, wide, -1).permute(2, 3, 0, 4, 1, 5))


def _matrix(memory: Tensor, rows: int, columns: int) -> Tensor:
    return memory[: rows * columns].view(rows, columns)
