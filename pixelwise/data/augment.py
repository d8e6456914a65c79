"""Scale, crop and flip a pair, everything in it alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.condition import Condition, PairedSample
from pixelwise.data.degrade import Degrade
from pixelwise.errors import InputError

_LUMA = (0.299, 0.587, 0.114)

Rehearsal = Callable[[PairedSample, torch.Generator], PairedSample]
"""From a sample to what a generator learns from, drawing from the generator of random numbers alone."""


@dataclass(frozen=True)
class Augment:
    """One way to vary samples; calling it draws from the generator given and from nothing else.

    Attributes:
        scale: the size (height, width) to resize to; one number: the short side, proportions kept; None: as it is.
        crop: the size (height, width) cut out at random after that; None: the whole.
        flip: mirror left to right, every second time.
        grey: the share of samples whose pictures lose their colours; their channels stay, and are equal then.
        degrade: makes ``condition.image`` anew from the target, after all else; None: as it is.
        own_style: makes the target ``condition.style``, after all else.
        rehearse: makes of the result what a generator learns from, last of all; None: it is that.
    """

    scale: tuple[int, int] | int | None = None
    crop: tuple[int, int] | None = None
    flip: bool = False
    grey: float = 0.0
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
        top, left, size = 0, 0, self.crop or sample.condition.size
        rows, columns = self._room(sample, size)
        if self.crop is not None:
            top, left = _draw(rows + 1, generator), _draw(columns + 1, generator)
        if self.flip and _draw(2, generator):
            sample, left = flipped(sample), columns - left
        if self.grey and float(torch.rand((), generator=generator)) < self.grey:
            sample = uncoloured(sample)
        part = cropped(sample, top, left, size)
        if self.degrade is not None:
            image = degraded(sample.target, self.degrade, generator, top, left, size)
            part = replace(part, condition=replace(part.condition, image=image))
        part = self._styled(part)
        return part if self.rehearse is None else self.rehearse(part, generator)

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
    """Resized to ``size`` (height, width): images bilinear and antialiased, ids by the nearest pixel centre.

    Of a target with holes the measured pixels alone are averaged; where most of what a new pixel covers is hole, so is
    the new one.
    """
    if sample.condition.size == size:
        return sample
    resized = _map_planes(sample, lambda plane: _resize(plane, size))
    if sample.valid is None:
        return resized
    share = _resize(sample.valid.float(), size)
    total = _resize(torch.where(sample.valid, sample.target, 0), size)
    valid = share >= 0.5
    return replace(resized, target=torch.where(valid, total / share, -1), valid=valid)


def resized(condition: Condition, size: tuple[int, int]) -> Condition:
    """A condition alone, as ``scaled``."""
    return condition.map_planes(lambda plane: _resize(plane, size))


def cropped(sample: PairedSample, top: int, left: int, size: tuple[int, int]) -> PairedSample:
    """The part of ``size`` (height, width) whose first pixel is at (top, left)."""
    return _map_planes(sample, lambda plane: plane[..., top : top + size[0], left : left + size[1]])


def degraded(
    target: Tensor, degrade: Degrade, generator: torch.Generator, top: int, left: int, size: tuple[int, int]
) -> Tensor:
    """The part of ``size`` (height, width) whose first pixel is at (top, left), degraded.

    It is made of the target there and as far around as the degradation reaches: only the target's own border is one.
    """
    (height, width), reach = size, degrade.reach
    first_row, first_column = max(0, top - reach), max(0, left - reach)
    around = target[..., first_row : top + height + reach, first_column : left + width + reach]
    top, left = top - first_row, left - first_column
    return degrade(around, generator)[..., top : top + height, left : left + width]


def flipped(sample: PairedSample) -> PairedSample:
    """Mirrored left to right."""
    return _map_planes(sample, lambda plane: plane.flip(-1))


def uncoloured(sample: PairedSample) -> PairedSample:
    """With the luma of ITU-R BT.601 in all channels of the target and of the image, where these have three."""
    image = sample.condition.image
    condition = sample.condition if image is None else replace(sample.condition, image=_luma(image))
    return replace(sample, condition=condition, target=_luma(sample.target))


def _luma(picture: Tensor) -> Tensor:
    if picture.dim() != 4 or picture.shape[1] != 3:
        return picture
    return torch.einsum("bchw,c->bhw", picture, picture.new_tensor(_LUMA))[:, None].expand_as(picture)


def _map_planes(sample: PairedSample, change: Callable[[Tensor], Tensor]) -> PairedSample:
    valid = None if sample.valid is None else change(sample.valid)
    return replace(sample, condition=sample.condition.map_planes(change), target=change(sample.target), valid=valid)


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
