"""3 x 3 convolution by Winograd's minimal filtering, by torch; see transforms.py. Filters are transformed once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.lowres.activations import Activations, CellMoments, Convolved
from pixelwise.lowres.band import Band, convolved_band
from pixelwise.lowres.packed_linear import PackedLinear
from pixelwise.lowres.padding import check_padding, padded
from pixelwise.lowres.room import Room
from pixelwise.lowres.transforms import POSITIONS, transformed, transforms

_TILES_BYTES = 8 << 20
"""About as much memory as transformed tiles take at a time: they should still be in the cache when they are multiplied,
and be enough to be worth reading the weights."""

_RUN = 128
"""Inputs that are added up before the sum joins the others: it lessens the rounding error, as RUN in product.h."""


class TorchConvolution:
    """What ``WinogradConvolution`` does, by torch; of any numbers of channels."""

    def __init__(self, weight: Tensor, padding: str) -> None:
        self.outputs, self.inputs = weight.shape[:2]
        self._padding = padding
        # Contiguous before they are packed one by one: copies in between would leave holes in memory.
        matrices = (transformed(run).mT.float().contiguous() for run in weight.split(_RUN, dim=1))
        self._runs = [list(map(PackedLinear, run)) for run in matrices]

    def __call__(self, x: Activations, room: Room, band: Band | None = None) -> Convolved:
        """As ``WinogradConvolution``."""
        room.finish()
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
        return Convolved(cells, CellMoments(cells))

    def _convolve(self, tiles: Tensor, out: Tensor, room: Room) -> None:
        """Tiles B C high wide 6 6 to ``out``, B high 4 wide 4 O."""
        images, _, high, wide = tiles.shape[:4]
        num_tiles = images * high * wide
        num_inputs, num_outputs = num_tiles * min(self.inputs, _RUN), num_tiles * self.outputs
        pieces = (POSITIONS * num_outputs, max(POSITIONS * num_inputs, 16 * num_outputs), POSITIONS * num_inputs)
        one, two, three = room.scratch(sum(pieces))[: sum(pieces)].split(pieces)
        sums = one.view(POSITIONS, num_outputs).zero_()
        for run, linears in zip(tiles.split(_RUN, dim=1), self._runs, strict=True):
            gathered, inputs = (_matrix(memory, POSITIONS, num_tiles * run.shape[1]) for memory in (two, three))
            gathered.view(6, 6, images, high, wide, -1).copy_(run.permute(4, 5, 0, 2, 3, 1))
            torch.mm(transforms().tiles, gathered, out=inputs)
            for linear, row, products in zip(linears, inputs, sums, strict=True):
                products.view(num_tiles, -1).add_(linear(row.view(num_tiles, -1)))
        made = torch.mm(transforms().products, sums, out=_matrix(two, 16, num_outputs))
        out.copy_(made.view(4, 4, images, high, wide, -1).permute(2, 3, 0, 4, 1, 5))


def _matrix(memory: Tensor, rows: int, columns: int) -> Tensor:
    return memory[: rows * columns].view(rows, columns)
