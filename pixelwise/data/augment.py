"""Scale, crop and flip a pair, everything in it alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.data.degrade import Degrade
from pixelwise.errors import InputError

Rehearsal = Callable[[PairedSample, torch.Generator], PairedSample]
"""From a sample to what a generator learns from, drawing from the generator of random numbers alone."""


@dataclass(frozen=True)
class Augment:
    """One way to vary samples; calling it draws from the generator given and from nothing else.

    Attributes:
        scale: the size (height, width) to resize to; one number: the short side, proportions kept; None: as it is.
        crop: the size (height, width) cut out at random after that; None: the whole.
        flip: mirror left to right, every second time.
        degrade: makes ``condition.image`` anew from the target, after all else; None: as it is.
        own_style: makes the target ``condition.style``, after all else.
        rehearse: makes of the result what a generator learns from, last of all; None: it is that.
    """

    scale: tuple[int, int] | int | None = None
    crop: tuple[int, int] | None = None
    flip: bool = False
    degrade: Degrade | None = None
    own_style: bool = False
    rehearse: Rehearsal | None = None

    def __post_init__(self) -> None:
        scale = (self.scale,) if isinstance(self.scale, int) else self.scale
        for name, sides in {"scale": scale, "crop": self.crop}.items():
            if sides is not None and min(sides) < 1:
                raise InputError(f"{name} must be at least 1 pixel, got {sides}")

    def __call__(self, sample: PairedSample, generator: torch.Generator) -> PairedSample:
        """A variant of ``sample``; all of a batch get the same geometry.

        Raises:
            InputError: the crop is larger than the (scaled) sample, which is named.
        """
        sample = self._scaled(sample)
        if self.crop is not None:
            rows, columns = self._room(sample, self.crop)
            sample = cropped(sample, _draw(rows + 1, generator), _draw(columns + 1, generator), self.crop)
        if self.flip and _draw(2, generator):
            sample = flipped(sample)
        if self.degrade is not None:
            image = self.degrade(sample.target, generator)
            sample = replace(sample, condition=replace(sample.condition, image=image))
        sample = self._styled(sample)
        return sample if self.rehearse is None else self.rehearse(sample, generator)

    def centred(self, sample: PairedSample) -> PairedSample:
        """Scaled, the middle cut out; no flip, degradation or rehearsal: for validation. Errors as ``__call__``."""
        sample = self._scaled(sample)
        if self.crop is not None:
            rows, columns = self._room(sample, self.crop)
            sample = cropped(sample, rows // 2, columns // 2, self.crop)
        return self._styled(sample)

    def _styled(self, sample: PairedSample) -> PairedSample:
        if not self.own_style:
            return sample
        return replace(sample, condition=replace(sample.condition, style=sample.target))

    def _scaled(self, sample: PairedSample) -> PairedSample:
        if self.scale is None:
            return sample
        if isinstance(self.scale, int):
            short = min(sample.condition.size)
            height, width = ((2 * side * self.scale + short) // (2 * short) for side in sample.condition.size)
            return scaled(sample, (height, width))
        return scaled(sample, self.scale)

    @staticmethod
    def _room(sample: PairedSample, crop: tuple[int, int]) -> tuple[int, int]:
        height, width = sample.condition.size
        if height < crop[0] or width < crop[1]:
            raise InputError(
                f"{', '.join(sample.names)}: {width}x{height} is smaller than the crop of {crop[1]}x{crop[0]} "
                "(width x height); scale it up or crop less"
            )
        return height - crop[0], width - crop[1]


def scaled(sample: PairedSample, size: tuple[int, int]) -> PairedSample:
    """Resized to ``size`` (height, width): images bilinear and antialiased, ids by the nearest pixel centre."""
    return sample if sample.condition.size == size else _map_planes(sample, lambda plane: _resize(plane, size))


def cropped(sample: PairedSample, top: int, left: int, size: tuple[int, int]) -> PairedSample:
    """The part of ``size`` (height, width) whose first pixel is at (top, left)."""
    return _map_planes(sample, lambda plane: plane[..., top : top + size[0], left : left + size[1]])


def flipped(sample: PairedSample) -> PairedSample:
    """Mirrored left to right."""
    return _map_planes(sample, lambda plane: plane.flip(-1))


def _map_planes(sample: PairedSample, change: Callable[[Tensor], Tensor]) -> PairedSample:
    return replace(sample, condition=sample.condition.map_planes(change), target=change(sample.target))


def _resize(plane: Tensor, size: tuple[int, int]) -> Tensor:
    if plane.is_floating_point():
        return F.interpolate(plane, size, mode="bilinear", antialias=True)
    rows, columns = (_nearest(length, new, plane.device) for length, new in zip(plane.shape[-2:], size, strict=True))
    return plane[..., rows[:, None], columns]


def _nearest(length: int, new_length: int, device: torch.device) -> Tensor:
    """For each new pixel, the old one that its centre falls into: floor((i + 1/2) length / new_length), in integers."""
    return (2 * torch.arange(new_length, device=device) + 1) * length // (2 * new_length)


def _draw(count: int, generator: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=generator))
