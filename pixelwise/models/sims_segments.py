"""The segments of a label map (Qi, Chen, Jia, Koltun, CVPR 2018): connected parts of one class, each with its mask and
with what stands around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pixelwise.layers.position import connected_regions

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels; the last two are the first row and column behind it."""

GRID = 32
"""Rows and columns of ``Segment.shape`` and ``Segment.context``."""

OUTSIDE = 255
"""The class, in a context, of what lies outside the picture; so there are at most 255 others."""

_WINDOW = 1.5
_MIN_AREA = 16


@dataclass(frozen=True)
class Segment:
    """A connected part of one class.

    Shape and context show the same square window, around the middle of the box and half as wide again as its longer
    side. A square keeps proportions: a car seen from the side is not taken for one seen from behind.

    Attributes:
        label: its class index.
        number: its own among the components of the label map.
        box: the smallest that holds it.
        mask: h w bool, where in the box it is.
        shape: GRID GRID bool, where in the window it is.
        context: GRID GRID uint8, the label map in the window.
    """

    label: int
    number: int
    box: Box
    mask: np.ndarray
    shape: np.ndarray
    context: np.ndarray

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of the box."""
        top, left, bottom, right = self.box
        return slice(top, bottom), slice(left, right)


def cut(labels: np.ndarray, numbers: np.ndarray) -> list[Segment]:
    """All segments but those of less than 16 pixels, which would be lost at their borders.

    Args:
        labels: H W class indices, below ``OUTSIDE``.
        numbers: ``components(labels)``.
    """
    areas = np.bincount(numbers.ravel())
    boxes = _boxes(numbers, areas)
    return [_segment(labels, numbers, number, boxes[number]) for number in np.flatnonzero(areas >= _MIN_AREA).tolist()]


def components(labels: np.ndarray) -> np.ndarray:
    """Which component each pixel belongs to: H W int64 from 0 on. Pixels that touch at a corner only are connected too.

    Args:
        labels: H W integers, at least one pixel.
    """
    numbers: np.ndarray = connected_regions(torch.from_numpy(labels)[None])[0].numpy()
    return numbers


def hull(mask: np.ndarray) -> np.ndarray:
    """h w bool: all that lies between two pixels of ``mask`` of one row or of one column, and the mask itself."""
    filled: np.ndarray = _between(mask, 0) | _between(mask, 1)
    return filled


def _between(mask: np.ndarray, axis: int) -> np.ndarray:
    after = np.logical_or.accumulate(mask, axis)
    before = np.flip(np.logical_or.accumulate(np.flip(mask, axis), axis), axis)
    between: np.ndarray = after & before
    return between


def _boxes(numbers: np.ndarray, areas: np.ndarray) -> list[Box]:
    order = np.argsort(numbers, axis=None, kind="stable")
    firsts = np.cumsum(areas) - areas
    sides = np.divmod(order, numbers.shape[1])
    first = [np.minimum.reduceat(side, firsts) for side in sides]
    behind = [np.maximum.reduceat(side, firsts) + 1 for side in sides]
    return list(zip(*(edges.tolist() for edges in (*first, *behind)), strict=True))


def _segment(labels: np.ndarray, numbers: np.ndarray, number: int, box: Box) -> Segment:
    top, left, bottom, right = box
    mask = numbers[top:bottom, left:right] == number
    side = _WINDOW * max(bottom - top, right - left)
    rows = _grid((top + bottom) / 2, side)
    columns = _grid((left + right) / 2, side)
    inside = np.ix_(_is_in(rows, labels.shape[0]), _is_in(columns, labels.shape[1]))
    seen = np.ix_(rows[inside[0].ravel()], columns[inside[1].ravel()])
    shape = np.zeros((GRID, GRID), bool)
    context = np.full((GRID, GRID), OUTSIDE, np.uint8)
    shape[inside] = numbers[seen] == number
    context[inside] = labels[seen]
    row, column = np.argwhere(mask)[0]
    return Segment(int(labels[top + row, left + column]), number, box, mask, shape, context)


def _grid(middle: float, side: float) -> np.ndarray:
    """The pixels that the middles of ``GRID`` equal parts of a stretch fall into."""
    return np.floor(middle + side * ((np.arange(GRID) + 0.5) / GRID - 0.5)).astype(int)


def _is_in(pixels: np.ndarray, length: int) -> np.ndarray:
    inside: np.ndarray = (pixels >= 0) & (pixels < length)
    return inside
