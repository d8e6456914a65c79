"""Parts of an output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index

from pixelwise.errors import InputError

MAX_SIDE = 2**31 - 1
"""Pixels of an output along one axis."""


Region = tuple[int, int, int, int]
"""(top, left, height, width) in pixels: a window as callers write it."""


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: rows ``top`` to ``top + height - 1``, columns ``left`` to ``left + width - 1``."""

    top: int
    left: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise InputError(f"{self} is empty, expected at least one pixel")

    @classmethod
    def of(cls, region: Sequence[int]) -> Window:
        """From (top, left, height, width). Raises InputError for all but four whole numbers, and for an empty part."""
        try:
            top, left, height, width = map(index, region)
        except (TypeError, ValueError) as error:
            raise InputError(f"region {region!r}: expected whole numbers (top, left, height, width)") from error
        return cls(top, left, height, width)

    def __str__(self) -> str:
        return f"(top {self.top}, left {self.left}, height {self.height}, width {self.width})"

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def right(self) -> int:
        return self.left + self.width

    def contains(self, other: Window) -> bool:
        return (
            self.top <= other.top
            and self.left <= other.left
            and other.bottom <= self.bottom
            and other.right <= self.right
        )


def centre(pixel: int, scale: float) -> float:
    """Where an output's pixel has its centre along an axis, in pixels of the input, whose first one begins at 0."""
    return (pixel + 0.5) / scale


def check_scale(scale: float) -> None:
    """Raises InputError unless a scale is a positive number."""
    if not 0 < scale < math.inf:
        raise InputError(f"scale must be a positive number, got {scale:g}")


def covered(size: tuple[int, int], origin: tuple[int, int] = (0, 0), scale: float = 1.0) -> Window:
    """The output pixels whose centres lie within a part of the input.

    Args:
        size: (height, width) of the part in pixels of the input.
        origin: (top, left) at which it begins. Parts that meet in the input meet in the output.
        scale: output pixels per input pixel.

    Raises:
        InputError: ``scale`` is not a positive number, so small that no pixel is left, or so large that a side has more
            than ``MAX_SIDE``.
    """
    check_scale(scale)
    if scale > MAX_SIDE / max(size):
        raise InputError(f"scale {scale:g} makes {size[1]}x{size[0]} (width x height) larger than {MAX_SIDE} pixels")
    (top, left), (bottom, right) = (
        tuple(_first_behind(place, scale) for place in corner)
        for corner in (origin, (origin[0] + size[0], origin[1] + size[1]))
    )
    if bottom == top or right == left:
        raise InputError(f"scale {scale} leaves no pixel of {size[1]}x{size[0]} (width x height)")
    return Window(top, left, bottom - top, right - left)


def wanted(size: tuple[int, int], region: Region | None = None, scale: float = 1.0) -> Window:
    """Of the picture that is made of an input of that size: the region, or all that it ``covered``. Errors as there."""
    return covered(size, scale=scale) if region is None else Window.of(region)


def _first_behind(place: int, scale: float) -> int:
    """The first pixel of an output whose centre lies at a place of the input or behind it."""
    pixel = math.ceil(place * scale - 0.5)
    # Where a centre falls on the place, two roundings may differ by a pixel. What counts is where it is rendered.
    while centre(pixel - 1, scale) >= place:
        pixel -= 1
    while centre(pixel, scale) < place:
        pixel += 1
    return pixel
