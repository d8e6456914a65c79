"""What 3 x 3 convolutions read beyond the border of a picture: "zeros", its reflection, or the border replicated."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.band import Band


def check_padding(height: int, width: int, padding: str) -> None:
    """Raises InputError for a reflection in a grid of a single row or column."""
    if padding == "reflect" and min(height, width) < 2:
        raise InputError(f"a grid of {height} x {width} cells cannot be padded with its reflection: 2 x 2 at least")


@lru_cache(maxsize=64)
def sources(places: range, size: int, padding: str, first: int = 0) -> Tensor:
    """Which row (column) is read in each of the places, of which -1 is just before the border and ``size`` after it.

    Args:
        places: one after the other.
        size: of the picture.
        padding: "zeros", "reflect" or "replicate".
        first: the row from which the answers count.

    Returns:
        As many int32; -1 for zeros.
    """
    place = torch.arange(places.start, places.stop, dtype=torch.int32)
    if padding == "reflect":
        place = size - 1 - (size - 1 - place.abs()).abs()
    if padding == "replicate":
        place = place.clamp(0, size - 1)
    return torch.where((place < 0) | (place >= size), -1, place - first)


def row_sources(band: Band, stride: int, padding: str) -> Tensor:
    """Which row at hand each row is that a 3 x 3 convolution reads for a band, one after the other; -1 for zeros."""
    places = range(stride * band.wanted.start - 1, stride * (band.wanted.stop - 1) + 2)
    return sources(places, band.height, padding, band.top)


def column_sources(width: int, padding: str) -> Tensor:
    """Which column each padded one is; -1 for zeros."""
    return sources(range(-1, width + 1), width, padding)


def padded(x: Tensor, band: Band, stride: int, padding: str) -> Tensor:
    """The rows at hand, B C n W, as a 3 x 3 convolution without padding of its own reads them for the band."""
    mode = "constant" if padding == "zeros" else padding
    if stride * len(band.wanted) >= band.height:
        return F.pad(x, (1, 1, 1, 1), mode=mode)
    rows = row_sources(band, stride, padding)
    first, last = int(rows[0]), int(rows[-1])
    if first >= 0 and last - first + 1 == len(rows):  # away from the border
        return F.pad(x[:, :, first : last + 1], (1, 1, 0, 0), mode=mode)
    taken = x[:, :, rows.long().clamp(min=0).to(x.device)]
    taken[:, :, rows < 0] = 0
    return F.pad(taken, (1, 1, 0, 0), mode=mode)
