"""The canvas of SIMS (Qi, Chen, Jia, Koltun, CVPR 2018): segments laid over a layout, the front ones last, with holes
where nothing is known.

A canvas is C + 1 H W float32: colours in [-1, 1], 0 in the holes, and a plane that is 1 where they are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from pixelwise.models.sims_segments import Segment

Size = tuple[int, int]


@dataclass(frozen=True)
class Axis:
    """How rows or columns of one box are made of those of another.

    Attributes:
        first: the first row that is made.
        weights: rows made x rows there are, float32; each sums to 1.
    """

    first: int
    weights: np.ndarray

    @property
    def place(self) -> slice:
        return slice(self.first, self.first + len(self.weights))


@dataclass(frozen=True)
class Alignment:
    """Shift and scale, each along rows and columns, that take one mask to where another is.

    They make means and deviations of the pixels' places equal. The paper's spatial transformer also turns and shears;
    here upright things stay upright.
    """

    rows: Axis
    columns: Axis

    @classmethod
    def of(cls, mask: np.ndarray, segment: Segment, size: Size) -> Alignment:
        """Of a mask h w with that of a segment in a picture of ``size``, beyond which nothing is made."""
        top, left, _, _ = segment.box
        return cls(
            _axis(mask.sum(axis=1), segment.mask.sum(axis=1), top, size[0]),
            _axis(mask.sum(axis=0), segment.mask.sum(axis=0), left, size[1]),
        )

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that are made."""
        return self.rows.place, self.columns.place

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """h w bool to where at least half of a pixel is covered."""
        covered: np.ndarray = self.rows.weights @ mask.astype(np.float32) @ self.columns.weights.T
        return covered >= 0.5

    def colours(self, colours: np.ndarray) -> np.ndarray:
        """h w C to the same of the other size, float32: bilinear, over all pixels that fall into one."""
        planes = np.moveaxis(colours, -1, 0).astype(np.float32)
        return np.moveaxis(self.rows.weights @ planes @ self.columns.weights.T, 0, -1)


@dataclass(frozen=True)
class Piece:
    """What is laid on a canvas.

    Attributes:
        place: rows and columns of the canvas.
        mask: h w bool.
        colours: h w C float32 in [-1, 1].
    """

    place: tuple[slice, slice]
    mask: np.ndarray
    colours: np.ndarray

    @classmethod
    def aligned(cls, colours: np.ndarray, mask: np.ndarray, segment: Segment, size: Size) -> Piece:
        """Pixels h w C uint8 and their mask, where a segment of a picture of ``size`` is."""
        alignment = Alignment.of(mask, segment, size)
        return cls(alignment.place, alignment.mask(mask), alignment.colours(colours) / 127.5 - 1)


def compose(pieces: Sequence[Piece], size: Size, channels: int, elided: int) -> np.ndarray:
    """The canvas.

    Args:
        pieces: from the back to the front.
        size: (height, width).
        channels: of the colours.
        elided: pixels on either side of a border between two pieces, or with nothing, that are not known: there the
            pieces don't fit.
    """
    colours = np.zeros((*size, channels), np.float32)
    owners = np.full(size, -1, np.int32)
    for number, piece in enumerate(pieces):
        colours[piece.place][piece.mask] = piece.colours[piece.mask]
        owners[piece.place][piece.mask] = number
    known = (owners >= 0) & _unanimous(owners, elided)
    return np.concatenate([np.moveaxis(colours * known[..., None], -1, 0), known[None]]).astype(np.float32)


def _unanimous(owners: np.ndarray, reach: int) -> np.ndarray:
    """H W bool: whether all pixels within ``reach`` rows and columns have one owner. Beyond the picture none counts."""
    numbers = torch.from_numpy(owners)[None].float()
    highest, lowest = (sign * F.max_pool2d(sign * numbers, 2 * reach + 1, 1, reach) for sign in (1, -1))
    unanimous: np.ndarray = (highest == lowest)[0].numpy()
    return unanimous


def _axis(there: np.ndarray, wanted: np.ndarray, first: int, length: int) -> Axis:
    """From pixels of a mask by row to those of another, whose first row is ``first`` of ``length``."""
    mean, deviation = _moments(there)
    wanted_mean, wanted_deviation = _moments(wanted)
    reduction = deviation / wanted_deviation
    places = (np.arange(length) + 0.5 - first - wanted_mean) * reduction + mean
    made = np.flatnonzero((places > 0) & (places < len(there)))
    distances = np.abs(places[made, None] - (np.arange(len(there)) + 0.5))
    weights = np.maximum(1 - distances / max(1.0, reduction), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return Axis(int(made[0]) if len(made) else 0, weights.astype(np.float32))


def _moments(counts: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the places of all pixels, which are as wide as their row."""
    middles = np.arange(len(counts)) + 0.5
    mean = float(np.average(middles, weights=counts))
    return mean, float(np.average((middles - mean) ** 2 + 1 / 12, weights=counts) ** 0.5)
