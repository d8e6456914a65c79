"""Eq. 1 and 2 in plain torch: runs wherever torch does, in any precision, and has gradients.

It owes its speed to three things. The first layer is a lookup: a one-hot input selects a row of the weights, so no
label planes are built. All layers are applied to one tile after the other, a few blocks side by side, so that its
activations stay in the cache. And since a layer is linear, interpolating between the weights of four MLPs (bilinear
parameters) is interpolating between their outputs: one product with all four, whose input need not be repeated.

Shape letters: see field.py. More of them: U blocks of a tile, G = B U; Y X pixels of a block, N = Y X; K MLPs that act
on it, one, or with bilinear parameters four; C numbers of the code along an axis; D inputs that are not looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.render.axis import Axis, Block
from pixelwise.render.field import PixelMlp, PixelwiseField
from pixelwise.render.guide import Features

_CACHED = 2**20
"""Numbers of a tile on a CPU, its weights and the outputs of a layer: more don't stay in the caches, and fewer are not
worth the calls."""

_NOT_CACHED = 2**26
"""The same on other devices, where only memory sets a limit."""

_FEW_OUTPUTS = 16
"""Layers with fewer are faster transposed: products like long rows."""


@dataclass(frozen=True)
class _Band:
    """One row block over the whole width.

    Attributes:
        cells: for each row of cells that acts on it, each layer's numbers of every cell, B w (1+I)O.
        features: of its pixels alone.
        share_Y: the second row's share, where there are two.
        code_YC: of its pixels' rows.
    """

    cells: list[tuple[Tensor, ...]]
    features: Features
    share_Y: Tensor
    code_YC: Tensor


@dataclass(frozen=True)
class _Strip:
    """Column blocks side by side over the whole height, all made as long as the longest by repeating a pixel.

    Attributes:
        pixels_UX: columns of the output.
        kept: which of all these are no repetitions; None if all.
        cells_U: the column of cells, or the two, that act on each block.
        share_UX: the second one's share.
        code_UXC: of the columns.
    """

    pixels_UX: Tensor
    kept: Tensor | None
    cells_U: list[Tensor]
    share_UX: Tensor
    code_UXC: Tensor


def render_lookup(field: PixelwiseField, features: Features, rows: Axis, columns: Axis) -> Tensor:
    """Eq. 1 and 2, tile by tile. See ``pixelwise.render.engine.Render``."""
    strips = list(_strips(field, rows, columns))
    rows_D = torch.tensor(_rows_not_looked_up(field.mlp, features, rows.code.shape[1]), device=field.parameters.device)
    image_BOHW = torch.cat(
        [
            torch.cat([_tile(field.mlp, rows_D, band, strip) for strip in strips], dim=-1)
            for band in _bands(field, features, rows)
        ],
        dim=-2,
    ).to(field.parameters.dtype)
    return torch.tanh(image_BOHW) if field.mlp.tanh else image_BOHW


def _rows_not_looked_up(mlp: PixelMlp, features: Features, num_waves: int) -> list[int]:
    """Of the first layer's 1 + I: the bias, then planes, the columns' code, the rows' code."""
    first = 1 + mlp.widths[0] - 2 * num_waves
    # Its inputs alternate, for each period, between the two waves of the columns and the two of the rows.
    code = [first + 2 * wave - wave % 2 + offset for offset in (0, 2) for wave in range(num_waves)]
    return [0, *(1 + index for index, _ in features.planes), *code]


def _bands(field: PixelwiseField, features: Features, rows: Axis) -> Iterator[_Band]:
    sizes = [outputs * (1 + inputs) for inputs, outputs in pairwise(field.mlp.widths)]
    heights = [_length(block) for block in rows.blocks]
    # All are cut at once: an index into the whole would have a gradient as large as the whole.
    cells = [row_BwP.split(sizes, dim=-1) for row_BwP in field.parameters.movedim(1, -1).contiguous().unbind(1)]
    labels = [(first, plane.split(heights, dim=1)) for first, plane in features.labels]
    planes = [(index, plane.split(heights, dim=1)) for index, plane in features.planes]
    shares = rows.shares[:, -1].to(field.parameters).split(heights)
    codes = rows.code.to(field.parameters).split(heights)
    for i, block in enumerate(rows.blocks):
        within = Features([(n, p[i]) for n, p in labels], features.num_labels, [(n, p[i]) for n, p in planes])
        yield _Band([cells[cell] for cell in block.cells], within, shares[i], codes[i])


def _strips(field: PixelwiseField, rows: Axis, columns: Axis) -> Iterator[_Strip]:
    num_mlps = 4 if field.bilinear else 1
    num_pixels = max(map(_length, rows.blocks)) * max(map(_length, columns.blocks))
    floats = num_mlps * (num_pixels * max(field.mlp.widths[1:]) + field.mlp.num_parameters) * len(field.parameters)
    most = max(1, (_CACHED if field.parameters.device.type == "cpu" else _NOT_CACHED) // floats)
    num_strips = -(-len(columns.blocks) // most)
    for i in range(num_strips):
        first, last = (len(columns.blocks) * end // num_strips for end in (i, i + 1))
        yield _strip(field.parameters, columns, columns.blocks[first:last])


def _strip(parameters: Tensor, columns: Axis, blocks: Sequence[Block]) -> _Strip:
    starts_U1, stops_U1 = (torch.tensor(ends)[:, None] for ends in zip(*((b.pixels.start, b.pixels.stop) for b in blocks)))
    pixels_UX = starts_U1 + torch.arange(max(map(_length, blocks)))
    within_UX = pixels_UX < stops_U1
    pixels_UX = torch.minimum(pixels_UX, stops_U1 - 1)
    return _Strip(
        pixels_UX.to(parameters.device),
        None if within_UX.all() else within_UX.flatten().nonzero().squeeze(1).to(parameters.device),
        [torch.tensor(cells, device=parameters.device) for cells in zip(*(block.cells for block in blocks), strict=True)],
        columns.shares[pixels_UX, -1].to(parameters),
        columns.code[pixels_UX].to(parameters),
    )


def _length(block: Block) -> int:
    return block.pixels.stop - block.pixels.start


def _tile(mlp: PixelMlp, rows_D: Tensor, band: _Band, strip: _Strip) -> Tensor:
    """B O Y W of the pixels where a band and a strip meet."""
    weights = [_weights(layer, strip, outputs) for layer, outputs in zip(zip(*band.cells, strict=True), mlp.widths[1:], strict=True)]
    x_GNO = _interpolated(_first_layer(weights[0], rows_D, band, strip), band, strip)
    for weights_GIO in weights[1:]:
        x_GNO = F.leaky_relu(x_GNO, mlp.negative_slope, inplace=not x_GNO.requires_grad)
        x_GNO = _interpolated(_affine(x_GNO, weights_GIO), band, strip)
    num_blocks, width = strip.pixels_UX.shape
    x_BUYXO = x_GNO.view(-1, num_blocks, len(band.share_Y), width, mlp.widths[-1])
    image_BOYW = x_BUYXO.permute(0, 4, 2, 1, 3).flatten(3)
    return image_BOYW if strip.kept is None else image_BOYW.index_select(-1, strip.kept)


def _weights(cells: Sequence[Tensor], strip: _Strip, outputs: int) -> Tensor:
    """A layer's G 1+I KO: the bias, then a row for each input; in a row the K MLPs' outputs."""
    mlps = [row.index_select(1, columns_U) for row in cells for columns_U in strip.cells_U]
    weights = [mlp_BUP.flatten(0, 1).unflatten(-1, (-1, outputs)) for mlp_BUP in mlps]
    return torch.cat(weights, dim=-1) if len(weights) > 1 else weights[0]


def _first_layer(weights_GIO: Tensor, rows_D: Tensor, band: _Band, strip: _Strip) -> Tensor:
    """G N KO: a product for bias, planes and code, and for each label the row of weights that it selects."""
    batch = len(weights_GIO) // len(strip.pixels_UX)
    num_blocks, height, width = len(strip.pixels_UX), len(band.share_Y), strip.pixels_UX.shape[1]
    shape = (batch, num_blocks, height, width)

    def blocks(plane_BYW: Tensor) -> Tensor:
        return plane_BYW.index_select(-1, strip.pixels_UX.flatten()).view(batch, height, num_blocks, width).transpose(1, 2)

    x = [blocks(plane).unsqueeze(-1).to(weights_GIO) for _, plane in band.features.planes]
    x += [code.expand(*shape, -1) for code in (strip.code_UXC[:, None], band.code_YC[:, None])]
    x_GND = torch.cat(x, dim=-1).flatten(0, 1).flatten(1, 2)
    y_GNO = _affine(x_GND, weights_GIO.index_select(1, rows_D))
    table = weights_GIO.flatten(0, 1)
    firsts_G1 = torch.arange(1, len(table), weights_GIO.shape[1], device=table.device)[:, None]
    for first, labels in band.features.labels:
        index_GN = blocks(labels).reshape(len(weights_GIO), -1) + (firsts_G1 + first)
        y_GNO = y_GNO + table.index_select(0, index_GN.flatten()).view(y_GNO.shape)
    return y_GNO


def _affine(x_GNI: Tensor, weights_GIO: Tensor) -> Tensor:
    bias_G1O, weights_GIO = weights_GIO[:, :1], weights_GIO[:, 1:]
    if weights_GIO.shape[-1] < _FEW_OUTPUTS:
        return torch.baddbmm(bias_G1O.mT, weights_GIO.mT, x_GNI.mT).mT
    return torch.baddbmm(bias_G1O, x_GNI, weights_GIO)


def _interpolated(y_GNO: Tensor, band: _Band, strip: _Strip) -> Tensor:
    """G N O of the K MLPs' outputs G N KO."""
    if len(strip.cells_U) == 1:
        return y_GNO
    outputs = y_GNO.shape[-1] // 4
    y = y_GNO.view(-1, *strip.share_UX.shape[:1], len(band.share_Y), strip.share_UX.shape[1], 2, 2, outputs)
    y = torch.lerp(y[..., 0, :], y[..., 1, :], strip.share_UX[:, None, :, None, None].to(y))
    y = torch.lerp(y[..., 0, :], y[..., 1, :], band.share_Y[:, None, None].to(y))
    return y.flatten(0, 1).flatten(1, 2)
