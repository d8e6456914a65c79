"""The picture that an ASAP-Net makes of a condition while that is edited: only what an edit changes is made again.

An edit reaches as far as the low-resolution stream's convolutions do. Instance norms carry it everywhere, if only a
little: with them the stream runs anew, unless their statistics are frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import EllipsisType

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.lowres.kept import KeptParameters
from pixelwise.lowres.parameters import ParameterLayer
from pixelwise.models.banded_asapnet import BandedAsapNet
from pixelwise.models.family import Translation
from pixelwise.render import Guide, PixelwiseField, Window
from pixelwise.render.window import covered

TILE = 4
"""Cells on a side of the tiles in which blocks are computed (lowres/blocks.py). Parts of a grid begin with whole tiles:
so the same sums are rounded in the same way."""


class EditedAsapNet:
    """See ``pixelwise.models.family.Editing``.

    Args:
        pictures: the network's pixelwise half.
        condition: B = 1; copied.
        features: what the low-resolution stream makes of a condition, 1 C h w: all of it but its last layer.
        layer: its last layer.
        local: whether features depend on what is near them only.

    Raises:
        InputError: more than one condition, or one that does not fit the network.
    """

    def __init__(
        self,
        pictures: BandedAsapNet,
        condition: Condition,
        features: Callable[[Condition], Tensor],
        layer: ParameterLayer,
        local: bool,
    ) -> None:
        if len(condition) != 1:
            raise InputError(f"one condition can be edited at a time, got {len(condition)}")
        self._pictures = pictures
        self._condition = condition.map_planes(_own)
        self._compute, self._local = features, local
        self._features: Tensor | None = features(self._condition)
        self._grid = self._features.shape[-2], self._features.shape[-1]
        self._parameters = KeptParameters(layer, self._grid)
        self._labels = self._occurring(self._condition)
        self._changed: list[Window] = []
        self._guide: Guide | None = None

    @torch.no_grad()
    def update(self, window: Window, part: Condition) -> None:
        """See ``Editing.update``."""
        self._check(window, part)
        labels = self._occurring(part)
        planes = self._condition.planes()
        for name, plane in part.planes().items():
            planes[name][_part(window)] = plane
        self._guide = None
        self._labels |= labels
        if self._local:
            self._changed = _joined(self._changed, self._cells_near(window))
        else:
            self._features = None

    @torch.no_grad()
    def render(self, window: Window | None = None, scale: float = 1.0) -> Translation:
        """See ``Editing.render``."""
        if self._guide is None:
            self._guide = self._pictures.guide(self._condition)
        features = self._renewed()
        return self._pictures(self._guide, partial(self._field, features), window, scale)

    def _check(self, window: Window, part: Condition) -> None:
        whole = covered(self._condition.size)
        if not whole.contains(window):
            raise InputError(f"the region {window} reaches beyond the condition, which is {whole}")
        if part.size != (window.height, window.width):
            height, width = part.size
            raise InputError(
                f"the edit is {width}x{height} (width x height), its region {window.width}x{window.height}"
            )
        for name, plane in part.planes().items():
            own = self._condition.planes().get(name)
            if own is None:
                raise InputError(f"{name}: the condition that is edited has none")
            if plane.shape[:-2] != own.shape[:-2]:
                shapes = f"{tuple(plane.shape)}, the condition's {tuple(own.shape)}"
                raise InputError(f"{name}: the edit's shape is {shapes}; only height and width may differ")

    def _occurring(self, condition: Condition) -> Tensor:
        """Which labels there are: bool."""
        num_labels = self._pictures.config.num_labels
        if condition.labels is None or not num_labels:
            return torch.zeros(num_labels, dtype=torch.bool)
        return self._pictures.occurring(condition.labels)

    def _renewed(self) -> Tensor:
        """The features of the condition as it is now."""
        if self._features is None:
            self._features = self._compute(self._condition)
            self._parameters.forget()
        for changed in self._changed:
            self._renew(self._features, changed)
        self._changed = []
        return self._features

    def _renew(self, features: Tensor, changed: Window) -> None:
        """Computes the features of these cells from that part of the condition which they see."""
        cell = self._pictures.config.cell
        seen = self._cells_near(_scaled(changed, cell))
        top, left = seen.top // TILE * TILE, seen.left // TILE * TILE
        rows, columns = slice(cell * top, cell * seen.bottom), slice(cell * left, cell * seen.right)
        made = self._compute(self._condition.map_planes(lambda plane: plane[..., rows, columns]))
        inner = Window(changed.top - top, changed.left - left, changed.height, changed.width)
        features[_part(changed)] = made[_part(inner)]
        self._parameters.forget(*_part(changed)[1:])

    def _field(self, features: Tensor, guide: Guide, window: Window, scale: float) -> PixelwiseField:
        needed = self._pictures.needed(self._labels)
        return self._pictures.field(partial(self._parameters, features, needed), self._grid, window, scale)

    def _cells_near(self, window: Window) -> Window:
        """The cells whose features see some of these pixels; as far away are all pixels that a cell's features see.

        What repeats the condition's border, up to whole cells, is never further from it than this.
        """
        config = self._pictures.config
        # A 3 x 3 convolution for each block; the strided ones with the first reach a cell far, its tent half a step.
        tent = config.unshuffle * config.stream.reduction // 2
        reach = (config.num_blocks + 1) * config.cell + tent + config.instance_edges
        top, left = max(window.top - reach, 0) // config.cell, max(window.left - reach, 0) // config.cell
        bottom, right = (
            min(-(-(end + reach) // config.cell), count)
            for end, count in zip((window.bottom, window.right), self._grid, strict=True)
        )
        return Window(top, left, bottom - top, right - left)


def _own(plane: Tensor) -> Tensor:
    """A copy to be edited; of ids in a type that holds any."""
    return plane.clone() if plane.is_floating_point() else plane.to(torch.int64, copy=True)


def _joined(windows: list[Window], added: Window) -> list[Window]:
    """Windows that don't overlap, with another: those that overlap it become one with it."""
    for other in windows:
        if _overlap(other, added):
            return _joined([window for window in windows if window is not other], _around(other, added))
    return [*windows, added]


def _overlap(a: Window, b: Window) -> bool:
    return max(a.top, b.top) < min(a.bottom, b.bottom) and max(a.left, b.left) < min(a.right, b.right)


def _around(a: Window, b: Window) -> Window:
    top, left = min(a.top, b.top), min(a.left, b.left)
    return Window(top, left, max(a.bottom, b.bottom) - top, max(a.right, b.right) - left)


def _scaled(window: Window, factor: int) -> Window:
    return Window(window.top * factor, window.left * factor, window.height * factor, window.width * factor)


def _part(window: Window) -> tuple[EllipsisType, slice, slice]:
    return ..., slice(window.top, window.bottom), slice(window.left, window.right)
