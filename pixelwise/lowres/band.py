"""Rows of what a layer makes, and the rows of its input that are at hand: so layers read pictures part by part."""

from __future__ import annotations

from dataclasses import dataclass

from pixelwise.errors import InputError

PART_BYTES = 1 << 20
"""About as much memory as a part takes in which torch convolves a picture: it copies what it reads several times."""


@dataclass(frozen=True)
class Band:
    """Some rows of a picture, and what is to be made of them.

    Attributes:
        wanted: rows of the layer's output.
        top: the picture's row that is the first one at hand.
        height: of the whole picture.
    """

    wanted: range
    top: int
    height: int


def rows_convolved(wanted: range, stride: int, height: int) -> range:
    """Which of ``height`` rows a 3 x 3 convolution makes the ``wanted`` ones of."""
    return range(max(0, stride * wanted.start - 1), min(height, stride * (wanted.stop - 1) + 2))


def parts_of(wanted: range, row_bytes: int) -> list[range]:
    """Runs of rows, each of about ``PART_BYTES`` where a row takes so many."""
    num_rows = max(1, PART_BYTES // row_bytes)
    return [wanted[first : first + num_rows] for first in range(0, len(wanted), num_rows)]


def convolved_band(band: Band | None, pictures: int, at_hand: int, stride: int) -> Band:
    """What a 3 x 3 convolution is to make of so many rows of so many pictures: ``band``, or all if it is None.

    Raises:
        InputError: a part of several pictures, or one whose rows do not exist or are made of rows that are not at hand.
    """
    if band is None:
        return Band(range(-(-at_hand // stride)), 0, at_hand)
    read = rows_convolved(band.wanted, stride, band.height)
    num_rows = -(-band.height // stride)
    exist = 0 <= band.wanted.start < band.wanted.stop <= num_rows
    is_part = len(band.wanted) < num_rows
    if (is_part and pictures != 1) or not exist or read.start < band.top or read.stop > band.top + at_hand:
        found = f"{pictures} x the rows {band.top} to {band.top + at_hand - 1} of {band.height}"
        raise InputError(f"a 3 x 3 convolution of stride {stride} cannot make the rows {band.wanted} of {found}")
    return band
