"""3 x 3 convolution by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural
Networks", CVPR 2016), by the compiled kernels of native/kernels/winograd.h. Filters are packed half transformed.

Norms cost no pass over memory: a convolution writes what it makes and its statistics, and the next one normalises what
it reads.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.lowres.activations import Activations, Convolved
from pixelwise.lowres.band import Band, convolved_band
from pixelwise.lowres.measured import Measured
from pixelwise.lowres.padding import check_padding, column_sources, row_sources
from pixelwise.lowres.room import Room
from pixelwise.lowres.transforms import POSITIONS, half_transformed
from pixelwise.native import library

SIDE = 16
"""Tiles in a group: as in native/kernels/product.h."""

PANEL = 32
"""Outputs that are made together: as there."""

CHANNELS = 32
"""Inputs that are added up at a time: as in native/kernels/winograd.h."""

GROUPS = 2
"""Groups of tiles that are multiplied by the same weights in turn: as there."""


class _Job(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        ("threads", library.Work),
        *[
            (name, ctypes.c_void_p)
            for name in ("cells", "scale", "shift", "rows", "columns", "tiles", "weights", "out", "statistics")
        ],
        *[
            (name, ctypes.c_int64)
            for name in ("height", "width", "channels", "outputs", "tiles_high", "tiles_wide", "groups_per_image")
        ],
        ("num_groups", ctypes.c_int64),
        ("least", ctypes.c_float),
    ]


class WinogradConvolution:
    """A packed 3 x 3 convolution.

    Args:
        weight: O I 3 3, float32 on the CPU.
        padding: "zeros", "reflect" or "replicate".
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.

    Attributes:
        inputs, outputs: channels, rounded up to 32s: additional inputs must be 0, additional outputs are 0.
    """

    def __init__(self, weight: Tensor, padding: str, instruction_set: str | None) -> None:
        self._weights = _pack(weight)
        self.inputs = self._weights.shape[2] * CHANNELS
        self.outputs = len(self._weights) * PANEL
        self._padding, self._instruction_set = padding, instruction_set
        self._make_tiles, self._make_outputs, self._make_groups = (
            library.kernel(f"winograd_{name}", instruction_set) for name in ("tiles", "outputs", "groups")
        )

    def __call__(self, x: Activations, room: Room, band: Band | None = None) -> Convolved:
        """The cells of whole pictures, or of a band of one.

        Raises:
            InputError: a reflection in a grid of a single row or column, or a band that cannot be made of ``x``.
        """
        images, at_hand, width, _ = x.cells.shape
        band = convolved_band(band, images, at_hand, 1)
        height, grid = len(band.wanted), _Grid.of(band, width, self._padding)
        num_groups, num_threads = images * grid.num_groups, torch.get_num_threads()
        num_items = math.ceil(num_groups / GROUPS)
        by_groups = _evenness(num_items, num_threads) > 0.8
        tiles = room.scratch((num_threads * GROUPS if by_groups else num_groups) * POSITIONS * self.inputs * SIDE)
        out = room.layer(images, height, width, self.outputs)
        statistics = x.cells.new_empty(images, grid.num_groups, 2, self.outputs)
        inputs = [part.contiguous() for part in (x.cells, x.scale, x.shift)]
        tensors = (*inputs, grid.rows, grid.columns, tiles, self._weights, out, statistics)
        channels, in_tiles = (self.inputs, self.outputs), (grid.tiles_high, grid.tiles_wide)
        sizes = (height, width, *channels, *in_tiles, grid.num_groups, num_groups)
        pointers = [tensor.data_ptr() for tensor in tensors]
        if by_groups:
            kernels = [(self._make_groups, num_items)]
        else:
            tiles_items, outputs_items = num_groups * self.inputs // SIDE, num_items * len(self._weights)
            kernels = [(self._make_tiles, tiles_items), (self._make_outputs, outputs_items)]
        for kernel, count in kernels:
            job = _Job(library.Work(0, count), library.Work(0, num_threads), *pointers, *sizes, x.least)
            room.run(kernel, job, *tensors)
        return Convolved(out, Measured(statistics, grid.group_cells, self.outputs, room, self._instruction_set))


def _evenness(num_items: int, num_threads: int) -> float:
    """How much of the threads' time is work when they share items of the same size."""
    return num_items / (math.ceil(num_items / num_threads) * num_threads)


@dataclass(frozen=True)
class _Grid:
    """How 4 x 4 tiles lie on a band of a picture's cells.

    Attributes:
        tiles_high, tiles_wide: how many tiles.
        rows, columns: which of the cells' rows at hand (columns) each of the tiles' 6 x 6 inputs is; -1 for zeros.
        group_cells: how many cells each group of tiles makes.
    """

    tiles_high: int
    tiles_wide: int
    rows: Tensor
    columns: Tensor
    group_cells: Tensor

    @property
    def num_groups(self) -> int:
        return len(self.group_cells)

    @staticmethod
    @lru_cache(maxsize=16)
    def of(band: Band, width: int, padding: str) -> _Grid:
        """Raises InputError for a reflection in a grid of a single row or column."""
        check_padding(band.height, width, padding)
        tile_rows, tile_columns = _cells_of_tiles(len(band.wanted)), _cells_of_tiles(width)
        tiles = torch.outer(tile_rows, tile_columns).flatten()
        group_cells = F.pad(tiles, (0, -len(tiles) % SIDE)).view(-1, SIDE).sum(1)
        rows, columns = row_sources(band, 1, padding), column_sources(width, padding)
        rows, columns = (F.pad(places, (0, (2 - len(places)) % 4), value=-1) for places in (rows, columns))
        return _Grid(len(tile_rows), len(tile_columns), rows, columns, group_cells)


def _cells_of_tiles(size: int) -> Tensor:
    return torch.tensor([min(4, size - first) for first in range(0, size, 4)], dtype=torch.float32)


def _pack(weight: Tensor) -> Tensor:
    """O I 3 3 to panels 6 I/32 3 32 32, O and I rounded up; panel by panel, so that no other copy is made."""
    outputs, inputs = weight.shape[:2]
    packed = weight.new_zeros(math.ceil(outputs / PANEL), 6, math.ceil(inputs / CHANNELS), 3, CHANNELS, PANEL)
    for panel, filters in zip(packed, weight.split(PANEL), strict=True):
        filters = F.pad(filters, (0, 0, 0, 0, 0, -inputs % CHANNELS))
        panel[..., : len(filters)] = half_transformed(filters).unflatten(1, (-1, CHANNELS)).transpose(2, 3)
    return packed
