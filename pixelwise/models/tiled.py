"""Generators of which a pixel depends on its surroundings only, over pictures of any size, tile by tile.

Each tile is computed with as much around it as its pixels depend on, which is then cut off; but with nothing beyond the
border of the picture, where a convolution's zeros lie for the whole picture too. So there are no seams: the numbers are
those of the whole, but for the order in which sums are taken. Memory is that of a tile, beside what goes in and out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.folded import folded
from pixelwise.layers.semantics import semantic_planes
from pixelwise.models.family import Editing, GeneratorConfig, Translation
from pixelwise.render import Window

TILE = 1024
"""Height and width in pixels: a DnCNN, which reaches 20 beyond, takes 0.6 GB for it, and 8 % longer than for a picture
that needs no tiles."""

BAND_PIXELS = 1 << 24
"""Of the picture, that are held at a time when it goes by rows."""


class Tiled:
    """A generator made ready for inference, as ``WindowGenerator``.

    Args:
        generator: in eval mode.
        reach: so many pixels on every side decide what a pixel of its output is; see ``Family.reach``.
    """

    def __init__(self, generator: Any, reach: int) -> None:
        self._generator = folded(generator)
        self._reach = reach
        self.has_rows = True
        self.does_errands = False
        self.config: GeneratorConfig = generator.config

    @torch.inference_mode()
    def __call__(self, condition: Condition, window: Window | None = None, scale: float = 1.0) -> Translation:
        """The picture, or a window of it.

        Raises:
            InputError: a window beyond the picture, or any scale but 1.
        """
        self.check_scale(scale)
        whole = Window(0, 0, *condition.size)
        window = window or whole
        if not whole.contains(window):
            raise InputError(f"the window {window} reaches beyond the picture, {whole}")
        if window == whole and len(condition) * window.height * window.width <= TILE**2:
            return self._generator(condition)  # type: ignore[no-any-return]
        image = semantic_planes(condition, 0, self.config.image_channels, edges=False)
        made = image.new_empty(len(image), self.config.out_channels, window.height, window.width, dtype=torch.float32)
        for number in range(len(condition)):
            for tile in tiles(window):
                rows = slice(tile.top - window.top, tile.bottom - window.top)
                columns = slice(tile.left - window.left, tile.right - window.left)
                made[number, :, rows, columns] = self._tile(condition[number : number + 1], tile)[0]
        return Translation(made)

    def check_scale(self, scale: float) -> None:
        if scale != 1:
            raise InputError(f"this model makes as many pixels as it reads, scale cannot be {scale:g}")

    def edit(self, condition: Condition, approximate: bool = False) -> Editing:
        raise InputError("this model keeps nothing of a picture: it has no editing sessions")

    def by_rows(
        self,
        size: tuple[int, int],
        read: Callable[[int, int], Condition],
        scratch: Path,
        window: Window | None = None,
        scale: float = 1.0,
    ) -> Iterator[Tensor]:
        """See ``WindowGenerator``; rows are read once, but for those near the border of two bands."""
        self.check_scale(scale)
        window = window or Window(0, 0, *size)
        num_rows = min(TILE, max(self._reach, BAND_PIXELS // size[1]))
        for top in range(window.top, window.bottom, num_rows):
            bottom = min(top + num_rows, window.bottom)
            start, stop = max(top - self._reach, 0), min(bottom + self._reach, size[0])
            # Around the band is all that it depends on, so that it is a window of a smaller picture.
            yield self(read(start, stop), replace(window, top=top - start, height=bottom - top)).image

    def scratch_bytes(self, size: tuple[int, int]) -> int:
        return 0

    def _tile(self, condition: Condition, tile: Window) -> Tensor:
        (height, width), reach = condition.size, self._reach
        top, left = max(tile.top - reach, 0), max(tile.left - reach, 0)
        bottom, right = min(tile.bottom + reach, height), min(tile.right + reach, width)
        image = self._generator(condition.map_planes(lambda plane: plane[..., top:bottom, left:right])).image
        return image[..., tile.top - top : tile.bottom - top, tile.left - left : tile.right - left]  # type: ignore[no-any-return]


def tiles(window: Window) -> Iterator[Window]:
    """From top to bottom and from left to right."""
    for top in range(window.top, window.bottom, TILE):
        for left in range(window.left, window.right, TILE):
            yield Window(top, left, min(TILE, window.bottom - top), min(TILE, window.right - left))
