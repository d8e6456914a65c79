"""Eq. 1 and 2 in plain torch: runs wherever torch does, in any precision, and has gradients.

It owes its speed to three things. The first layer is a lookup: a one-hot input selects a row of the weights, so no
label planes are built. All layers are applied to one tile after the other, a few neighbouring blocks, so that its
activations stay in the cache. And since a layer is linear, interpolating between the weights of four MLPs (bilinear
parameters) is interpolating between their outputs: one product with all four, whose input need not be repeated.

Shape letters: see field.py. More of them: V x U blocks of a tile, G = B V U; Y X pixels of a block, N = Y X; K MLPs
that act on it, one, or with bilinear parameters four; C numbers of the code along an axis.
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
class _Run:
    """Neighbouring blocks of an axis, all made as long as the longest, X, by repeating their last pixel.

    Attributes:
        count: of pixels, without the repetitions.
        cells: the cells that act on each block, one or two of the axis.
        pixels: U X, the blocks' pixels, counted from the run's first; None if there are no repetitions.
        kept: which of the U X are no repetitions.
        share_UX: the second cell's share.
        code_UXC: of the positions.
    """

    count: int
    cells: list[tuple[int, ...]]
    pixels: Tensor | None
    kept: Tensor | None
    share_UX: Tensor
    code_UXC: Tensor


@dataclass(frozen=True)
class _Tile:
    rows: _Run
    columns: _Run
    features: Features
    mlps_BVUKP: Tensor


def render_lookup(field, features, rows, columns):
    """Eq. 1 and 2, tile by tile. See ``pixelwise.render.engine.Render``."""
    bands, strips = _runs(field, rows, columns)
    picked = torch.tensor(_rows_not_looked_up(field.mlp, features, rows.code.shape[1]), device=field.parameters.device)
    lines = [p.flatten(1).T.contiguous().unflatten(0, p.shape[1:]).unbind(0) for p in field.parameters]
    image = []
    for band, within in zip(bands, _split(features, [b.count for b in bands], 1)):
        cells_BvwP = torch.stack([l[c] for l in lines for cells in band.cells for c in cells]).unflatten(0,(len(lines),-1)) # B VK w P
        parts = _split(within, [s.count for s in strips], 2)
        image.append(torch.cat([_tile(field, picked, cells_BvwP, p, band, strip) for p, strip in zip(parts,strips)], -1))
    image_BOHW = torch.cat(image, -2).to(field.parameters.dtype)
    return torch.tanh(image_BOHW) if field.mlp.tanh else image_BOHW


def _split(features, counts, dim):
    labels, planes = ([(i, p.split(counts, dim)) for i, p in pairs] for pairs in (features.labels, features.planes))
    for k in range(len(counts)):
        yield Features([(i, p[k]) for i, p in labels], features.num_labels, [(i, p[k]) for i, p in planes])


def _rows_not_looked_up(mlp: PixelMlp, features: Features, num_waves: int) -> list[int]:
    """Of the first layer's 1 + I: the bias, then planes, the columns' code, the rows' code."""
    first = 1 + mlp.widths[0] - 2 * num_waves
    # Its inputs alternate, for each period, between the two waves of the columns and the two of the rows.
    code = [first + 2 * wave - wave % 2 + offset for offset in (0, 2) for wave in range(num_waves)]
    return [0, *(1 + index for index, _ in features.planes), *code]


def _runs(field, rows, columns):
    K = 4 if field.bilinear else 1
    N = max(map(_length, rows.blocks)) * max(map(_length, columns.blocks))
    floats = K * (N * max(field.mlp.widths[1:]) + field.mlp.num_parameters) * len(field.parameters)
    most = max(1, (_CACHED if field.parameters.device.type == "cpu" else _NOT_CACHED) // floats)
    num_columns = min(most, len(columns.blocks))
    return list(_cut(rows, max(1, most // num_columns), field.parameters)), list(_cut(columns, num_columns, field.parameters))


def _cut(axis, most, parameters):
    blocks = axis.blocks
    n = -(-len(blocks) // most)
    for i in range(n):
        first, last = (len(blocks) * end // n for end in (i, i + 1))
        yield _run(parameters, axis, blocks[first:last])


def _run(parameters: Tensor, axis: Axis, blocks: Sequence[Block]) -> _Run:
    d = parameters.device
    starts, stops = (torch.tensor(ends)[:, None] for ends in zip(*((b.pixels.start, b.pixels.stop) for b in blocks)))
    pixels = starts + torch.arange(max(map(_length, blocks)))
    within = pixels < stops
    pixels = torch.minimum(pixels, stops - 1)
    first = int(starts[0])
    return _Run(
        int(stops[-1]) - first,
        [b.cells for b in blocks],
        None if within.all() else (pixels - first).flatten().to(d),
        None if within.all() else within.flatten().nonzero().squeeze(1).to(d),
        axis.shares[pixels, -1].to(parameters),
        axis.code[pixels].to(parameters),
    )


def _length(block: Block) -> int:
    return block.pixels.stop - block.pixels.start


def pick(t, index, dim):
    return t if index is None else t.index_select(dim, index)

def _tile(field, picked, cells_BvwP, features, rows, columns) -> Tensor:
    mlp = field.mlp
    weights = _weights(mlp, cells_BvwP, rows, columns)
    V,Y=rows.share_UX.shape; U,X=columns.share_UX.shape
    x_GNO = _interpolated(_first_layer(weights[0], picked, features, rows, columns), rows, columns)
    for weights_GIO in weights[1:]:
        x_GNO = F.leaky_relu(x_GNO, mlp.negative_slope, inplace=not x_GNO.requires_grad)
        x_GNO = _interpolated(_affine(x_GNO, weights_GIO), rows, columns)
    x = x_GNO.view(-1, V, U, Y, X, mlp.widths[-1])
    image = x.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)
    return pick(pick(image, rows.kept, 2), columns.kept, 3)


def _weights(mlp: PixelMlp, cells_BvwP, rows, columns) -> list[Tensor]:
    """Of each layer G 1+I KO: the bias, then a row for each input; in a row the outputs of all K MLPs."""
    B,_,w,P=cells_BvwP.shape
    V=len(rows.cells);U=len(columns.cells);K=len(rows.cells[0])
    if K==1 and [c[0] for c in columns.cells]==list(range(w)):
        mlps_GKP = cells_BvwP.flatten(0,2).unsqueeze(1)
    else:
        c=torch.tensor(columns.cells)[:,None,:] # U 1 K
        r=torch.arange(V*K).view(V,1,K,1)*w
        idx=(r+c).flatten().to(cells_BvwP.device)
        mlps_GKP = cells_BvwP.flatten(1,2).index_select(1,idx).view(B*V*U,K*K,P)
    sizes = [outputs * (1 + inputs) for inputs, outputs in pairwise(mlp.widths)]
    return [
        layer.unflatten(-1, (-1, outputs)).transpose(1, 2).flatten(2)
        for layer, outputs in zip(mlps_GKP.split(sizes, dim=-1), mlp.widths[1:], strict=True)
    ]


def _first_layer(weights_GIO: Tensor, picked: Tensor, features, rows, columns) -> Tensor:
    """G N KO: a product for bias, planes and code, and for each label the row of weights that it selects."""
    V,Y=rows.share_UX.shape; U,X=columns.share_UX.shape
    shape=(len(weights_GIO)//(V*U),V,U,Y,X)

    def blocks(plane_BYW: Tensor) -> Tensor:
        return pick(pick(plane_BYW, rows.pixels, 1), columns.pixels, 2).reshape(-1,V,Y,U,X).transpose(2,3)

    x = [blocks(plane).unsqueeze(-1).to(weights_GIO) for _, plane in features.planes]
    x += [code.expand(*shape, -1) for code in (columns.code_UXC[None, :, None], rows.code_UXC[:, None,:,None])]
    x_GND = torch.cat(x, dim=-1).flatten(0, 2).flatten(1, 2)
    y_GNO = _affine(x_GND, weights_GIO.index_select(1, picked))
    table = weights_GIO.flatten(0, 1)
    firsts_G1 = torch.arange(1, len(table), weights_GIO.shape[1], device=table.device)[:, None]
    for first, labels in features.labels:
        index_GN = blocks(labels).reshape(len(weights_GIO), -1) + (firsts_G1 + first)
        y_GNO = y_GNO + table.index_select(0, index_GN.flatten()).view(y_GNO.shape)
    return y_GNO


def _affine(x_GNI: Tensor, weights_GIO: Tensor) -> Tensor:
    if weights_GIO.shape[1] < weights_GIO.shape[2]:
        return F.pad(x_GNI, (1, 0), value=1.0) @ weights_GIO
    bias_G1O, weights_GIO = weights_GIO[:, :1], weights_GIO[:, 1:]
    if weights_GIO.shape[-1] < _FEW_OUTPUTS:
        return torch.baddbmm(bias_G1O.mT, weights_GIO.mT, x_GNI.mT).mT
    return torch.baddbmm(bias_G1O, x_GNI, weights_GIO)


def _interpolated(y_GNO: Tensor, rows, columns) -> Tensor:
    """G N O of the K MLPs' outputs G N KO."""
    if len(rows.cells[0]) == 1:
        return y_GNO
    outputs = y_GNO.shape[-1] // 4
    V,Y=rows.share_UX.shape; U,X=columns.share_UX.shape
    y = y_GNO.view(-1, V, U, Y, X, 2, 2, outputs)
    above, below = y.unbind(-3)
    y = torch.lerp(above, below, rows.share_UX[:, None,:,None, None,None].to(y))
    left, right = y.unbind(-2)
    return torch.lerp(left, right, columns.share_UX[:, None, :, None].to(y)).flatten(0, 2).flatten(1, 2)
