"""3 x 3 convolution by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural
Networks", CVPR 2016), by the compiled kernels of native/kernels/winograd.h or by torch. Filters are transformed once.

Compiled, norms cost no pass over memory: a convolution writes what it makes and its statistics, and the next one
normalises what it reads.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.lowres.band import Band, convolved_band
from pixelwise.lowres.padding import check_padding, column_sources, padded, row_sources
from pixelwise.native import library

SIDE = 16
"""Tiles in a group, channels in a panel: as in native/kernels/product.h."""

POSITIONS = 36
"""Numbers in a transformed tile."""

GROUPS = 2
"""Groups of tiles that are multiplied by the same weights in turn: as in native/kernels/winograd.h."""

_RUN = 256
"""Inputs that torch adds up before the sum joins the others: it lessens the rounding error, as RUN in product.h."""

_TILES_BYTES = 8 << 20
"""About as much memory as torch takes for transformed tiles at a time: they should still be in the cache when they are
multiplied, and be enough to be worth reading the weights."""


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
        inputs, outputs: channels, rounded up to whole panels: additional inputs must be 0, additional outputs are 0.
    """

    def __init__(self, weight: Tensor, padding: str, instruction_set: str | None) -> None:
        self._weights = _pack(weight)
        self.inputs = self._weights.shape[2]
        self.outputs = len(self._weights) * SIDE
        self._padding = padding
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
        tiles = room.take((num_threads * GROUPS if by_groups else num_groups) * POSITIONS * self.inputs * SIDE)
        out = x.cells.new_empty(images, height, width, self.outputs)
        statistics = x.cells.new_empty(images, grid.num_groups, 2, self.outputs)
        inputs = [part.contiguous() for part in (x.cells, x.scale, x.shift)]
        tensors = (*inputs, grid.rows, grid.columns, tiles, self._weights, out, statistics)
        channels, in_tiles = (self.inputs, self.outputs), (grid.tiles_high, grid.tiles_wide)
        sizes = (height, width, *channels, *in_tiles, grid.num_groups, num_groups)
        pointers = [tensor.data_ptr() for tensor in tensors]
        job = _Job(library.Work(), library.Work(0, num_threads), *pointers, *sizes, x.least)
        if by_groups:
            stages = [(self._make_groups, num_items)]
        else:
            tiles_items, outputs_items = num_groups * self.inputs // SIDE, num_items * self.outputs // SIDE
            stages = [(self._make_tiles, tiles_items), (self._make_outputs, outputs_items)]
        for kernel, count in stages:
            job.work = library.Work(0, count)
            library.run(kernel, job, num_threads)
        return Convolved(out, partial(moments, statistics, grid.group_cells))


def _evenness(num_items: int, num_threads: int) -> float:
    """How much of the threads' time is work when they share items of the same size."""
    return num_items / (math.ceil(num_items / num_threads) * num_threads)


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
    """Mean and variance, B O, of cells B h w O."""
    variance, mean = torch.var_mean(cells, dim=(1, 2), correction=0)
    return mean, variance


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
    """O I 3 3 to panels 36 I 16, O and I padded to multiples of 16; panel by panel, so that no other copy is made."""
    outputs, inputs = weight.shape[:2]
    packed = weight.new_zeros(math.ceil(outputs / SIDE), POSITIONS, math.ceil(inputs / SIDE) * SIDE, SIDE)
    for panel, filters in zip(packed, weight.split(SIDE), strict=True):
        panel[:, :inputs, : len(filters)] = _transformed(filters)
    return packed


class TorchConvolution:
    """What ``WinogradConvolution`` does, by torch; of any numbers of channels."""

    def __init__(self, weight: Tensor, padding: str) -> None:
        self.outputs, self.inputs = weight.shape[:2]
        self._weights = weight.new_empty(POSITIONS, self.inputs, self.outputs)
        for columns, filters in zip(self._weights.split(SIDE, dim=2), weight.split(SIDE), strict=True):
            columns.copy_(_transformed(filters))
        self._padding = padding

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
        gathered, transformed = (_matrix(memory, POSITIONS, num_tiles * self.inputs) for memory in (one, other))
        gathered.view(6, 6, images, high, wide, -1).copy_(tiles.permute(4, 5, 0, 2, 3, 1))
        torch.mm(_transforms().tiles, gathered, out=transformed)
        products = _matrix(one, POSITIONS, num_tiles * self.outputs)
        sums = products.view(POSITIONS, num_tiles, self.outputs)
        runs = transformed.view(POSITIONS, num_tiles, self.inputs).split(_RUN, dim=2)
        for number, (run, weights) in enumerate(zip(runs, self._weights.split(_RUN, dim=1), strict=True)):
            sums.baddbmm_(run, weights, beta=min(number, 1))
        made = torch.mm(_transforms().products, products, out=_matrix(other, 16, num_tiles * self.outputs))
        out.copy_(made.view(4, 4, images, high, wide, -1).permute(2, 3, 0, 4, 1, 5))


def _matrix(memory: Tensor, rows: int, columns: int) -> Tensor:
    return memory[: rows * columns].view(rows, columns)


@dataclass(frozen=True)
class _Transforms:
    """Lavin and Gray's matrices in both directions, for the points that winograd.h names.

    Attributes:
        filters: of G, 36 x 9, float64.
        tiles: of B', 36 x 36.
        products: of A', 16 x 36.
    """

    filters: Tensor
    tiles: Tensor
    products: Tensor


@lru_cache(maxsize=1)
def _transforms() -> _Transforms:
    half, two = math.sqrt(0.5), math.sqrt(2.0)
    points, factors = (0.0, half, -half, two, -two), (1.0, -2 / 3, -2 / 3, 1 / 6, 1 / 6)
    g = [[factor * point**i for i in range(3)] for point, factor in zip(points, factors, strict=True)]
    inner = [[0.0, -1 / point, -1 / point**2, point, 1.0, 0.0] for point in points[1:]]
    b = [[1.0, 0.0, -2.5, 0.0, 1.0, 0.0], *inner, [0.0, 1.0, 0.0, -2.5, 0.0, 1.0]]
    a = [[*[point**i for point in points], float(i == 3)] for i in range(4)]
    matrices = (torch.tensor(rows, dtype=torch.float64) for rows in ([*g, [0.0, 0.0, 1.0]], b, a))
    filters, tiles, products = (torch.kron(matrix, matrix) for matrix in matrices)
    return _Transforms(filters, tiles.float(), products.float())


def _transformed(filters: Tensor) -> Tensor:
    """O I 3 3 to 36 I O, float64."""
    taps = filters.detach().double().permute(2, 3, 1, 0).reshape(9, -1)
    return (_transforms().filters @ taps).view(POSITIONS, filters.shape[1], -1)
