"""What the MLPs read of the full-resolution input, and how it is sampled at the pixels of an output.

For shape letters see field.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.labels import check_range, one_hot
from pixelwise.render.axis import Axis, positions
from pixelwise.render.window import Window


@dataclass(frozen=True)
class Guide:
    """What the MLP of a pixel reads of the full-resolution input, besides the pixel code.

    Attributes:
        labels: B H W class indices, read as one-hot planes; or None.
        num_labels: number of those planes.
        image: B C H W, read as it is, after the labels; or None.
        neighbourhood: k, odd: a pixel reads the k x k pixels around it, row by row, instead of itself alone. Beyond the
            guide the border is repeated. k = 1 is the paper's.
        origin: (top, left) pixel of the whole image at which this guide begins, when it is a part. It should reach
            ``halo`` pixels further than what is rendered of it, except where the image ends.
    """

    labels: Tensor | None
    num_labels: int
    image: Tensor | None
    neighbourhood: int = 1
    origin: tuple[int, int] = (0, 0)

    @property
    def batch(self) -> int:
        return len(self._plane)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self._plane.shape[-2], self._plane.shape[-1]

    @property
    def _plane(self) -> Tensor:
        plane = self.image if self.labels is None else self.labels
        if plane is None:
            raise InputError("a guide has labels, an image, or both; this one has nothing")
        return plane

    @property
    def num_channels(self) -> int:
        """Inputs per pixel, neighbourhood included, pixel code not."""
        image_channels = 0 if self.image is None else self.image.shape[1]
        labels = 0 if self.labels is None else self.num_labels
        return self.neighbourhood**2 * (labels + image_channels)

    def check(self) -> None:
        """Raises InputError for labels and an image that are not of the same pictures, a neighbourhood without a
        middle, or an index outside 0..num_labels - 1: engines that gather rows would read beyond them."""
        if self.neighbourhood < 1 or self.neighbourhood % 2 == 0:
            raise InputError(f"a neighbourhood has an odd number of pixels on a side, got {self.neighbourhood}")
        if self.labels is None:
            return
        if self.image is not None and (len(self.image), *self.image.shape[-2:]) != tuple(self.labels.shape):
            raise InputError(
                f"the guide's labels are {tuple(self.labels.shape)} (batch, height, width), its image "
                f"{(len(self.image), *self.image.shape[-2:])}"
            )
        check_range(self.labels, self.num_labels)

    def around(self, window: Window, scale: float = 1.0) -> Guide:
        """The part of this guide, a view of it, that is read where the window of an output is rendered."""
        reach = self.neighbourhood // 2 + 1
        spans = []
        for start, count, first, side in zip(
            (window.top, window.left), (window.height, window.width), self.origin, self.size, strict=True
        ):
            ends = (start / scale - reach - first, (start + count) / scale + reach - first)
            spans.append(slice(max(math.floor(ends[0]), 0), min(math.ceil(ends[1]), side)))
        rows, columns = spans
        return replace(
            self,
            labels=None if self.labels is None else self.labels[..., rows, columns],
            image=None if self.image is None else self.image[..., rows, columns],
            origin=(self.origin[0] + rows.start, self.origin[1] + columns.start),
        )

    def image_at(self, window: Window, scale: float = 1.0) -> Tensor:
        """The image that there is, at the pixels of a window of an output, interpolated bilinearly: B C H W."""
        assert self.image is not None
        y, x = (
            positions(start, count, scale) - first
            for start, count, first in zip(
                (window.top, window.left), (window.height, window.width), self.origin, strict=True
            )
        )
        return _interpolated(self.image, y, x)

    def at(self, rows: Axis, columns: Axis) -> Features:
        """What the MLPs at these pixels read: labels of the nearest pixel, images interpolated bilinearly."""
        reach = self.neighbourhood // 2
        offsets = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
        labels: list[tuple[int, Tensor]] = []
        planes: list[tuple[int, Tensor]] = []
        first = 0
        for dy, dx in offsets:
            y, x = rows.positions + (dy - self.origin[0]), columns.positions + (dx - self.origin[1])
            if self.labels is not None:
                labels.append((first, _nearest(self.labels, y, x)))
                first += self.num_labels
            if self.image is not None:
                sampled = _interpolated(self.image, y, x)
                planes += [(first + channel, plane) for channel, plane in enumerate(sampled.unbind(1))]
                first += self.image.shape[1]
        return Features(labels, self.num_labels, planes)


@dataclass(frozen=True)
class Features:
    """The MLPs' inputs at every pixel of an output, the pixel code excepted.

    Attributes:
        labels: (input, plane B H W int): class indices, read as one-hot planes of which the first is this input.
        num_labels: number of planes of each.
        planes: (input, plane B H W float).
    """

    labels: list[tuple[int, Tensor]]
    num_labels: int
    planes: list[tuple[int, Tensor]]

    @property
    def num_inputs(self) -> int:
        return len(self.labels) * self.num_labels + len(self.planes)

    def dense(self) -> Iterator[Tensor]:
        """All inputs as planes B n H W, in order."""
        parts = [(first, one_hot(indices, self.num_labels)) for first, indices in self.labels]
        parts += [(index, plane.unsqueeze(1)) for index, plane in self.planes]
        yield from (part for _, part in sorted(parts, key=lambda part: part[0]))


def _nearest(plane: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Samples of ``plane`` (..., H, W) at rows y and columns x, the border repeated."""
    for dim, places in ((-2, y), (-1, x)):
        index = (places + 0.5).floor().long().clamp(0, plane.shape[dim] - 1)
        plane = _taken(plane, index, dim)
    return plane


def _interpolated(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Bilinear samples of ``image`` (..., H, W) at rows y and columns x, in pixels from 0; the border is repeated."""
    for dim, places in ((-2, y), (-1, x)):
        before = places.floor()
        share = places - before
        index = before.long()
        last = image.shape[dim] - 1
        first = _taken(image, index.clamp(0, last), dim)
        if not share.any():
            image = first
        else:
            share = share.to(image) if dim == -1 else share.to(image)[:, None]
            image = torch.lerp(first, _taken(image, (index + 1).clamp(0, last), dim), share)
    return image


def _taken(plane: Tensor, index: Tensor, dim: int) -> Tensor:
    """``plane`` at ``index`` along ``dim``: a view where these are neighbours, so that nothing is copied."""
    start = int(index[0])
    if torch.equal(index, torch.arange(start, start + len(index))):
        return plane.narrow(dim, start, len(index))
    return plane.index_select(dim, index.to(plane.device))
