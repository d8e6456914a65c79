"""How much the cells of a pixelwise model show in its pictures, whose parameters change from one cell to the next."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.errors import InputError

_FLOOR = 0.1 * 2 / 255
"""A tenth of a grey level, added to both means: a flat picture has no seams, and a nearly flat one no wild ratio."""


def seams(picture: Tensor, cell: int) -> Tensor:
    """How much larger the steps between neighbouring pixels are across the borders of cells than inside cells.

    The mean absolute difference of neighbours whose border is one of cells, over that of all others, plus a floor of a
    tenth of a grey level each; of horizontal and of vertical neighbours the mean of both, or where borders lie in one
    direction alone, of that. What a picture shows may have steps there too: its figure is to be seen beside that of the
    real photo.

    Args:
        picture: B C H W in [-1, 1].
        cell: pixels on a cell's side; the first cell begins at the picture's top left pixel.

    Returns:
        B, more than 0: 1 where no border shows, 2 where steps across borders are twice as large.

    Raises:
        InputError: a cell of less than two pixels, or a picture without a border between two.
    """
    if cell < 2 or max(picture.shape[-2:]) <= cell:
        height, width = picture.shape[-2:]
        raise InputError(
            f"seams: cells of {cell} pixels in a picture of {height} x {width} (height x width); expected at least 2, "
            "and a picture of more than one cell"
        )
    steps = [_steps(lines, cell) for lines in (picture, picture.mT) if lines.shape[-1] > cell]
    across, inside = (torch.stack(means).mean(dim=0) for means in zip(*steps, strict=True))
    return (across + _FLOOR) / (inside + _FLOOR)


def _steps(lines: Tensor, cell: int) -> tuple[Tensor, Tensor]:
    """Along the last dimension: the mean step across borders and inside cells, B each."""
    steps = lines.diff(dim=-1).abs().mean(dim=(1, 2))
    across = torch.arange(1, lines.shape[-1], device=lines.device) % cell == 0
    return steps[:, across].mean(dim=1), steps[:, ~across].mean(dim=1)
