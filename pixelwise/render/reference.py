"""The definition of rendering, differentiable, and the measure for every other engine.

Shape letters: see field.py. Two more: N pixels of a block, K MLPs that act on it: one, with bilinear parameters four.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.render.axis import Axis, Block
from pixelwise.render.field import PixelwiseField
from pixelwise.render.guide import Features


def render_reference(field: PixelwiseField, features: Features, rows: Axis, columns: Axis) -> Tensor:
    """Eq. 1 and 2: every pixel through the MLP of its cell. See ``pixelwise.render.engine.Render``."""
    planes_BIHW = torch.cat([*features.dense(), *_code_planes(field, rows, columns)], dim=1).to(field.parameters)
    bands = [
        torch.cat([_block(field, planes_BIHW, rows, above, columns, along) for along in columns.blocks], dim=-1)
        for above in rows.blocks
    ]
    image_BOHW = torch.cat(bands, dim=-2)
    return torch.tanh(image_BOHW) if field.mlp.tanh else image_BOHW


def _block(field: PixelwiseField, planes_BIHW: Tensor, rows: Axis, above: Block, columns: Axis, along: Block) -> Tensor:
    """B O H W of the pixels where a row block and a column block meet: the same K MLPs act on all of them."""
    parameters_BKP = torch.stack([field.parameters[:, :, y, x] for y in above.cells for x in along.cells], dim=1)
    shares_NK = torch.einsum("ya,xb->yxab", rows.shares[above.pixels], columns.shares[along.pixels])
    shares_NK = shares_NK.flatten(2).flatten(0, 1).to(parameters_BKP)
    block_BIHW = planes_BIHW[:, :, above.pixels, along.pixels]
    x_BNI = block_BIHW.flatten(2).mT
    layers = field.mlp.layers(parameters_BKP)
    for index, (bias_BKO, weight_BKIO) in enumerate(layers):
        # Interpolating between K weight matrices is one product with all of them, stacked, of K weighted inputs.
        x_BNKI = x_BNI.unsqueeze(-2) * shares_NK.unsqueeze(-1)
        x_BNI = x_BNKI.flatten(-2) @ weight_BKIO.flatten(1, 2) + shares_NK @ bias_BKO
        if index < len(layers) - 1:
            x_BNI = F.leaky_relu(x_BNI, field.mlp.negative_slope)
    return x_BNI.mT.reshape(len(x_BNI), -1, *block_BIHW.shape[-2:])


def _code_planes(field: PixelwiseField, rows: Axis, columns: Axis) -> list[Tensor]:
    """B C H W: for each period, longest first, cos x, sin x, cos y, sin y."""
    shape = (len(field.parameters), 2, len(rows), len(columns))
    num_periods = rows.code.shape[1] // 2
    planes = []
    for period in range(num_periods):
        x_W2, y_H2 = (along.code[:, 2 * period : 2 * period + 2] for along in (columns, rows))
        planes += [x_W2.T[:, None].expand(shape), y_H2.T[:, :, None].expand(shape)]
    return [plane.to(field.parameters.device) for plane in planes]
