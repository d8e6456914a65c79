"""Eq. 1 and 2 in plain torch: runs wherever torch does, in any precision, and has gradients.

It owes its speed to three things. The first layer is a lookup: a one-hot input selects a row of the weights, so no
label planes are built. All layers are applied to one tile after the other, a few neighbouring blocks, so that its
activations stay in the cache. And since a layer is linear, interpolating between the weights of four MLPs (bilinear
parameters) is interpolating between their outputs: one product with all four, whose input need not be repeated.

Shape letters: see field.py. More of them: V U rows and columns of a tile's blocks, Y X of a block's pixels,
G = B V U, N = Y X; K MLPs that act on a block, one, or with bilinear parameters four; C numbers of an axis's code;
D inputs that are not looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise import onednn
from pixelwise.render.axis import Axis, Block
from pixelwise.render.bands import joined
from pixelwise.render.field import PixelMlp, PixelwiseField
from pixelwise.render.guide import Features

_CACHED = 2**19
"""Numbers of a tile on a CPU, its weights and a layer's outputs: more leave the caches, fewer don't repay the calls."""

_NOT_CACHED = 2**26
"""The same on other devices, where only memory sets a limit."""

_MANY_PIXELS = 1024
"""Of a block: with fewer of them to call oneDNN block by block takes longer than one product of all."""

_FEW_OUTPUTS = 16
"""Layers with fewer are faster transposed: products like long rows."""


@dataclass(frozen=True)
class _Run:
    """Neighbouring blocks of an axis, all made as long as the longest by repeating their last pixel.

    Attributes:
        blocks: U of them.
        repeated: U X, the blocks' pixels, counted from the run's first; None if no block is too short.
        kept: which of the U X are no repetitions.
        share: U X, of the second cell, where two act.
        code: U X C, of the positions.
    """

    blocks: Sequence[Block]
    repeated: Tensor | None
    kept: Tensor | None
    share: Tensor
    code: Tensor

    @property
    def num_pixels(self) -> int:
        """Without repetitions."""
        return sum(map(len, self.blocks))

    def with_repetitions(self, plane: Tensor, dim: int) -> Tensor:
        return plane if self.repeated is None else plane.index_select(dim, self.repeated)

    def without_repetitions(self, plane: Tensor, dim: int) -> Tensor:
        return plane if self.kept is None else plane.index_select(dim, self.kept)


@dataclass(frozen=True)
class _Tile:
    """The blocks where a run of rows and a run of columns meet.

    Attributes:
        rows, columns: the runs.
        features: of the tile's pixels.
        mlps: G K P, the parameters that act on each block.
    """

    rows: _Run
    columns: _Run
    features: Features
    mlps: Tensor

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """B V U Y X."""
        (v, y), (u, x) = self.rows.share.shape, self.columns.share.shape
        return len(self.mlps) // (v * u), v, u, y, x

    def blocks(self, plane_BHW: Tensor) -> Tensor:
        """B V U Y X."""
        b, v, u, y, x = self.shape
        plane_BHW = self.columns.with_repetitions(self.rows.with_repetitions(plane_BHW, dim=1), dim=2)
        return plane_BHW.reshape(b, v, y, u, x).transpose(2, 3)

    def joined(self, x_GNO: Tensor) -> Tensor:
        """B O H W of what is computed for every block."""
        x_BOVYUX = x_GNO.view(*self.shape, x_GNO.shape[-1]).permute(0, 5, 1, 3, 2, 4)
        image_BOHW = x_BOVYUX.flatten(4).flatten(2, 3)
        return self.columns.without_repetitions(self.rows.without_repetitions(image_BOHW, dim=2), dim=3)


def render_lookup(field: PixelwiseField, features: Features, rows: Axis, columns: Axis) -> Tensor:
    """Eq. 1 and 2, tile by tile. See ``pixelwise.render.engine.Render``."""

    def rendered(band: Iterator[_Tile]) -> Tensor:
        band_BOHW = torch.cat([tile.joined(_evaluate(field.mlp, tile)) for tile in band], dim=-1)
        band_BOHW = band_BOHW.to(field.parameters.dtype)
        return torch.tanh(band_BOHW) if field.mlp.tanh else band_BOHW

    return joined(map(rendered, _bands(field, features, rows, columns)), len(rows))


def _bands(field: PixelwiseField, features: Features, rows: Axis, columns: Axis) -> Iterator[Iterator[_Tile]]:
    """The tiles, row by row. Features and cells are cut at once, since a slice's gradient is as large as the whole."""
    # One block alone may be more than a tile.
    rows = rows.cut(_most_numbers(field) // (_widest(field) * columns.longest))
    num_rows, num_columns = _tile_size(field, rows, columns)
    bands, strips = _runs(rows, num_rows, field.parameters), _runs(columns, num_columns, field.parameters)
    # Picture by picture, since torch is twice as fast with matrices; nothing is copied if the memory is B h w P.
    grids = [cells_Phw.flatten(1).T.contiguous().unflatten(0, cells_Phw.shape[1:]) for cells_Phw in field.parameters]
    lines_BhwP = [grid_hwP.unbind() for grid_hwP in grids]
    for band, part in zip(bands, _split(features, bands, dim=1), strict=True):
        acting = [lines_hwP[cell] for lines_hwP in lines_BhwP for block in band.blocks for cell in block.cells]
        cells_BvwP = torch.stack(acting).unflatten(0, (len(grids), -1))
        yield (
            _Tile(band, strip, within, _acting(cells_BvwP, band, strip))
            for strip, within in zip(strips, _split(part, strips, dim=2), strict=True)
        )


def _tile_size(field: PixelwiseField, rows: Axis, columns: Axis) -> tuple[int, int]:
    """Rows and columns of a tile's blocks."""
    num_pixels = rows.longest * columns.longest
    numbers = num_pixels * _widest(field) + _num_mlps(field) * field.mlp.num_parameters
    num_blocks = max(1, _most_numbers(field) // numbers)
    num_columns = min(num_blocks, len(columns.blocks))
    return num_blocks // num_columns, num_columns


def _most_numbers(field: PixelwiseField) -> int:
    return _CACHED if field.parameters.device.type == "cpu" else _NOT_CACHED


def _num_mlps(field: PixelwiseField) -> int:
    """That act on a block, of all pictures."""
    return (4 if field.bilinear else 1) * len(field.parameters)


def _widest(field: PixelwiseField) -> int:
    """Outputs of the widest layer at a pixel, of all MLPs and pictures."""
    return _num_mlps(field) * max(field.mlp.widths[1:])


def _runs(along: Axis, most: int, like: Tensor) -> list[_Run]:
    """``along`` in runs of at most so many blocks, about equally many in each; tensors of the kind of ``like``."""
    count = len(along.blocks)
    num_runs = -(-count // most)
    ends = [count * i // num_runs for i in range(num_runs + 1)]
    return [_run(along, along.blocks[first:last], like) for first, last in pairwise(ends)]


def _run(along: Axis, blocks: Sequence[Block], like: Tensor) -> _Run:
    starts_U1, stops_U1 = (
        torch.tensor(ends).unsqueeze(1) for ends in zip(*((b.pixels.start, b.pixels.stop) for b in blocks), strict=True)
    )
    pixels_UX = starts_U1 + torch.arange(max(map(len, blocks)))
    within_UX = pixels_UX < stops_U1
    pixels_UX = torch.minimum(pixels_UX, stops_U1 - 1)
    repeated = kept = None
    if not within_UX.all():
        repeated = (pixels_UX - starts_U1[0]).flatten().to(like.device)
        kept = within_UX.flatten().nonzero().squeeze(1).to(like.device)
    return _Run(blocks, repeated, kept, along.shares[pixels_UX, -1].to(like), along.code[pixels_UX].to(like))


def _split(features: Features, runs: Sequence[_Run], dim: int) -> Iterator[Features]:
    counts = [run.num_pixels for run in runs]
    labels, planes = (
        [(first, plane.split(counts, dim)) for first, plane in pairs] for pairs in (features.labels, features.planes)
    )
    for i in range(len(counts)):
        yield Features([(n, p[i]) for n, p in labels], features.num_labels, [(n, p[i]) for n, p in planes])


def _acting(cells_BvwP: Tensor, rows: _Run, columns: _Run) -> Tensor:
    """G K P: the MLPs that act on a tile's blocks, out of those of its rows of cells, which come block by block."""
    num_cells = cells_BvwP.shape[2]
    cells_UK = torch.tensor([block.cells for block in columns.blocks])
    firsts_VK = num_cells * torch.arange(cells_BvwP.shape[1]).view(len(rows.blocks), -1)
    index_VUK = (firsts_VK[:, None, :, None] + cells_UK[:, None]).flatten(2)
    mlps_BnP = cells_BvwP.flatten(1, 2).index_select(1, index_VUK.flatten().to(cells_BvwP.device))
    return mlps_BnP.view(-1, index_VUK.shape[2], cells_BvwP.shape[3])


def _evaluate(mlp: PixelMlp, tile: _Tile) -> Tensor:
    """G N O of a tile's pixels, before tanh."""
    first, *others = _weights(mlp, tile)
    x_GNO = _interpolated(_first_layer(first, tile), tile)
    if _has_large_blocks(x_GNO, tile):
        return torch.stack([_evaluate_block(mlp, *block) for block in zip(x_GNO, *others, strict=True)])
    for weights_GIO in others:
        x_GNI = F.leaky_relu(x_GNO, mlp.negative_slope, inplace=not x_GNO.requires_grad)
        x_GNO = _interpolated(_affine(x_GNI, weights_GIO), tile)
    return x_GNO


def _has_large_blocks(x_GNO: Tensor, tile: _Tile) -> bool:
    """Whether each block is worth products of its own, which oneDNN makes; with one MLP and without gradients."""
    is_fit = x_GNO.device.type == "cpu" and x_GNO.dtype == torch.float32 and tile.mlps.shape[1] == 1
    has_gradient = torch.is_grad_enabled() and (x_GNO.requires_grad or tile.mlps.requires_grad)
    return is_fit and not has_gradient and x_GNO.shape[1] >= _MANY_PIXELS and onednn.is_there()


def _evaluate_block(mlp: PixelMlp, x_NO: Tensor, *layers_IO: Tensor) -> Tensor:
    """The same of one block, N O, from what its first layer makes."""
    x_NI = F.leaky_relu(x_NO, mlp.negative_slope) if layers_IO else x_NO
    for number, weights_IO in enumerate(layers_IO, start=1):
        slope = mlp.negative_slope if number < len(layers_IO) else 1.0
        x_NI = onednn.linear(x_NI, weights_IO[1:].t(), weights_IO[0], slope)
    return x_NI


def _weights(mlp: PixelMlp, tile: _Tile) -> list[Tensor]:
    """Of each layer G 1+I KO: the bias, then a row for each input; in a row the outputs of all K MLPs."""
    sizes = [outputs * (1 + inputs) for inputs, outputs in pairwise(mlp.widths)]
    return [
        layer_GKP.unflatten(-1, (-1, outputs)).transpose(1, 2).flatten(2)
        for layer_GKP, outputs in zip(tile.mlps.split(sizes, dim=-1), mlp.widths[1:], strict=True)
    ]


def _first_layer(weights_GIO: Tensor, tile: _Tile) -> Tensor:
    """G N KO: a product for bias, planes and code, and for each label the row of weights that it selects."""
    codes = (tile.columns.code[:, None], tile.rows.code[:, None, :, None])
    x = [tile.blocks(plane).unsqueeze(-1).to(weights_GIO) for _, plane in tile.features.planes]
    x += [code.expand(*tile.shape, -1) for code in codes]
    x_GND = torch.cat(x, dim=-1).flatten(0, 2).flatten(1, 2)
    rows_D = torch.tensor(_rows_not_looked_up(tile, weights_GIO.shape[1]), device=weights_GIO.device)
    y_GNO = _affine(x_GND, weights_GIO.index_select(1, rows_D))
    table_RO = weights_GIO.flatten(0, 1)
    firsts_G1 = torch.arange(1, len(table_RO), weights_GIO.shape[1], device=table_RO.device).unsqueeze(1)
    for first, labels_BHW in tile.features.labels:
        rows_GN = tile.blocks(labels_BHW).reshape(len(weights_GIO), -1) + (firsts_G1 + first)
        y_GNO += table_RO.index_select(0, rows_GN.flatten()).view(y_GNO.shape)
    return y_GNO


def _rows_not_looked_up(tile: _Tile, num_rows: int) -> list[int]:
    """Of the first layer's 1 + I: the bias, then planes, the columns' code, the rows' code."""
    num_waves = tile.rows.code.shape[-1]
    first = num_rows - 2 * num_waves
    # The MLP's inputs alternate, period by period, between two waves of the columns and two of the rows.
    code = [first + 2 * wave - wave % 2 + offset for offset in (0, 2) for wave in range(num_waves)]
    return [0, *(1 + index for index, _ in tile.features.planes), *code]


def _affine(x_GNI: Tensor, weights_GIO: Tensor) -> Tensor:
    bias_G1O, weights_GIO = weights_GIO[:, :1], weights_GIO[:, 1:]
    if weights_GIO.shape[-1] < _FEW_OUTPUTS:
        return torch.baddbmm(bias_G1O.mT, weights_GIO.mT, x_GNI.mT).mT
    return torch.baddbmm(bias_G1O, x_GNI, weights_GIO)


def _interpolated(y_GNO: Tensor, tile: _Tile) -> Tensor:
    """G N O of the K MLPs' outputs G N KO."""
    if tile.mlps.shape[1] == 1:
        return y_GNO
    y = y_GNO.view(*tile.shape, 2, 2, y_GNO.shape[-1] // 4)
    above, below = y.unbind(-3)
    y = torch.lerp(above, below, tile.rows.share[:, None, :, None, None, None].to(y))
    left, right = y.unbind(-2)
    y = torch.lerp(left, right, tile.columns.share[:, None, :, None].to(y))
    return y.flatten(0, 2).flatten(1, 2)
