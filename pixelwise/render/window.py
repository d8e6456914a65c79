"""Parts of an output."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixelwise.errors import InputError


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


def covered(size: tuple[int, int], origin: tuple[int, int] = (0, 0), scale: float = 1.0) -> Window:
    """The output pixels whose centres lie within a part of the input.

    Args:
        size: (height, width) of the part in pixels of the input.
        origin: (top, left) at which it begins. Parts that meet in the input meet in the output.
        scale: output pixels per input pixel.

    Raises:
        InputError: ``scale`` is not a positive number, or so small that no pixel is left.
    """
    if not 0 < scale < math.inf:
        raise InputError(f"scale must be a positive number, got {scale}")
    (top, left), (bottom, right) = (
        tuple(math.ceil(place * scale - 0.5) for place in corner)
        for corner in (origin, (origin[0] + size[0], origin[1] + size[1]))
    )
    if bottom == top or right == left:
        raise InputError(f"scale {scale} leaves no pixel of {size[1]}x{size[0]} (width x height)")
    return Window(top, left, bottom - top, right - left)
