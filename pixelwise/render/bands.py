"""Pictures that are rendered band by band, put together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


def joined(bands: Iterator[Tensor], height: int) -> Tensor:
    """From top to bottom, B C n W each, to B C height W. They are not all held at once, as torch.cat would have it;
    but where they have gradients: to write into a part of a picture takes a gradient as large as the whole.
    """
    image: Tensor | None = None
    top = 0
    for band in bands:
        if band.shape[2] == height:
            return band
        if band.requires_grad:
            return torch.cat([band, *bands], dim=2)
        if image is None:
            image = _large_memory(band, (*band.shape[:2], height, band.shape[3]))
        image[:, :, top : top + band.shape[2]] = band
        top += band.shape[2]
    assert image is not None
    return image


def _large_memory(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Memory that holds anything, of the kind of ``like``."""
    if like.device.type != "cpu" or like.dtype != torch.float32:
        return like.new_empty(shape)
    # NumPy asks the system for huge pages and torch does not: to fill them takes half of the time.
    return torch.from_numpy(np.empty(shape, np.float32))
