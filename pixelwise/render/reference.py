"""The definition of rendering, differentiable, and the measure for every other engine. Shape letters: see field.py.

The image is cut into squares of S x S pixels inside which the same MLPs act: with nearest parameters the cells
themselves, one MLP each; with bilinear ones the squares between four neighbouring cells' centres, four MLPs each.
Two more letters: N = S * S pixels of a square, K MLPs of a square.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.render.field import Guide, PixelwiseField, pixel_code


def render_reference(field: PixelwiseField, guide: Guide) -> Tensor:
    """Eq. 1 and 2: every pixel through the MLP of its cell. See ``pixelwise.render.render`` for arguments."""
    lead, parameters_BhwKP, shares_NK = _mlps_of_squares(field)
    x_BhwNI = _squares(_inputs(field, guide), field.cell, lead, parameters_BhwKP.shape[1:3])
    layers = field.mlp.layers(parameters_BhwKP)
    for index, (bias_BhwKO, weight_BhwKIO) in enumerate(layers):
        # Interpolating between K weight matrices is one product with all of them, stacked, of K weighted inputs.
        x_BhwNKI = x_BhwNI.unsqueeze(-2) * shares_NK.unsqueeze(-1)
        x_BhwNI = x_BhwNKI.flatten(-2) @ weight_BhwKIO.flatten(3, 4) + shares_NK @ bias_BhwKO
        if index < len(layers) - 1:
            x_BhwNI = F.leaky_relu(x_BhwNI, field.mlp.negative_slope)
    image_BOHW = _image(x_BhwNI, field.cell)
    height, width = guide.size
    image_BOHW = image_BOHW[:, :, lead : lead + height, lead : lead + width]
    return torch.tanh(image_BOHW) if field.mlp.tanh else image_BOHW


def _mlps_of_squares(field: PixelwiseField) -> tuple[int, Tensor, Tensor]:
    """Pixels by which the first square begins before the image; each square's MLPs; their shares in each pixel."""
    size = field.cell
    parameters_BPhw = field.parameters
    if not field.bilinear:
        return 0, parameters_BPhw.movedim(1, -1).unsqueeze(3), parameters_BPhw.new_ones(size * size, 1)
    corners_BPhw = F.pad(parameters_BPhw, (1, 1, 1, 1), mode="replicate").unfold(2, 2, 1).unfold(3, 2, 1)
    # A cell's centre lies at (S - 1) / 2; a square runs from the first pixel at or after one centre to the next.
    first = size // 2
    after = (torch.arange(size, device=parameters_BPhw.device) + first - (size - 1) / 2) / size
    along = torch.stack([1 - after, after], dim=1).to(parameters_BPhw.dtype)
    shares_NK = torch.einsum("yi,xj->yxij", along, along).reshape(size * size, 4)
    return size - first, corners_BPhw.flatten(4).permute(0, 2, 3, 4, 1), shares_NK


def _inputs(field: PixelwiseField, guide: Guide) -> Tensor:
    x_BIHW = guide.planes()
    batch, _, height, width = x_BIHW.shape
    if guide.neighbourhood > 1:
        reach = guide.neighbourhood // 2
        around = F.pad(x_BIHW, (reach,) * 4, mode="replicate")
        offsets = [(dy, dx) for dy in range(guide.neighbourhood) for dx in range(guide.neighbourhood)]
        x_BIHW = torch.cat([around[:, :, dy : dy + height, dx : dx + width] for dy, dx in offsets], dim=1)
    if field.pixel_code:
        y, x = (torch.arange(side, device=x_BIHW.device, dtype=torch.float32) for side in (height, width))
        x_BIHW = torch.cat([x_BIHW, pixel_code(y, x, field.cell).expand(batch, -1, -1, -1)], dim=1)
    return x_BIHW.to(field.parameters.dtype)


def _squares(x_BIHW: Tensor, size: int, lead: int, grid: torch.Size) -> Tensor:
    (rows, columns), (height, width) = grid, x_BIHW.shape[-2:]
    x_BIHW = F.pad(x_BIHW, (lead, columns * size - lead - width, lead, rows * size - lead - height))
    x_BIhSwS = x_BIHW.reshape(*x_BIHW.shape[:2], rows, size, columns, size)
    return x_BIhSwS.permute(0, 2, 4, 3, 5, 1).flatten(3, 4)


def _image(x_BhwNO: Tensor, size: int) -> Tensor:
    batch, rows, columns, _, channels = x_BhwNO.shape
    x_BhwSSO = x_BhwNO.reshape(batch, rows, columns, size, size, channels)
    return x_BhwSSO.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, rows * size, columns * size)
