"""Blurs: every pixel becomes a mean of those around it. Beyond its border a picture repeats its outermost pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError

_DEVIATIONS = 4
"""How far a Gaussian reaches; less than 0.01 % of it lies beyond."""

_PATH_POINTS = 256
"""Moments of an exposure."""


@dataclass(frozen=True)
class GaussianBlur:
    """A lens out of focus, as a Gaussian.

    Attributes:
        lowest, highest: the standard deviation is drawn evenly between them, one for each image; in pixels. Below half
            a pixel a sampled Gaussian is narrower than it says.
    """

    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not 0 < self.lowest <= self.highest < math.inf:
            raise InputError(f"blur needs 0 < lowest <= highest, got {self.lowest} and {self.highest}")

    @property
    def reach(self) -> int:
        return math.ceil(_DEVIATIONS * self.highest)

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        profiles = self.profiles(_evenly(self.lowest, self.highest, len(image), generator))
        return convolved(convolved(image, profiles[:, None, :]), profiles[:, :, None])

    def profiles(self, deviations: Tensor) -> Tensor:
        """Of deviations B in pixels the Gaussians along an axis, B 2 * reach + 1; each sums to 1."""
        places = torch.arange(-self.reach, self.reach + 1.0)
        weights = torch.exp(-(places**2) / (2 * deviations[:, None] ** 2))
        return weights / weights.sum(1, keepdim=True)


@dataclass(frozen=True)
class MotionBlur:
    """A camera that moves at constant speed during the exposure: straight on, or with a hand that shakes.

    Attributes:
        shortest, longest: the length of the way is drawn evenly between them, one for each image; in pixels.
        lowest_angle, highest_angle: so is its direction at the beginning; in degrees, anticlockwise from the right.
        shake: the way turns as a random walk does, by this standard deviation from beginning to end; in degrees. 0 is a
            straight line.
    """

    shortest: float
    longest: float
    lowest_angle: float = 0.0
    highest_angle: float = 180.0
    shake: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.shortest <= self.longest < math.inf:
            raise InputError(f"motion needs 0 <= shortest <= longest, got {self.shortest} and {self.longest}")
        if not -math.inf < self.lowest_angle <= self.highest_angle < math.inf or not 0 <= self.shake < math.inf:
            raise InputError(
                f"motion needs lowest_angle <= highest_angle and shake >= 0, got {self.lowest_angle}, "
                f"{self.highest_angle} and {self.shake}"
            )

    @property
    def reach(self) -> int:
        # However a way turns, no place on it is further from their mean than half its length; a place between pixels
        # counts for both.
        return math.ceil(self.longest / 2) + 1

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        return convolved(image, self.kernels(self.paths(len(image), generator)))

    def paths(self, count: int, generator: torch.Generator) -> Tensor:
        """Where ``count`` cameras are at equal intervals, B N 2 as (down, right) in pixels; their mean is zero."""
        lengths = _evenly(self.shortest, self.longest, count, generator)
        angles = _evenly(self.lowest_angle, self.highest_angle, count, generator)
        turns = self.shake / _PATH_POINTS**0.5 * torch.randn(count, _PATH_POINTS, generator=generator)
        directions = torch.deg2rad(angles[:, None] + turns.cumsum(1))
        steps = torch.stack([-directions.sin(), directions.cos()], dim=-1) * lengths[:, None, None] / _PATH_POINTS
        places = steps.cumsum(1)
        return places - places.mean(1, keepdim=True)

    def kernels(self, paths: Tensor) -> Tensor:
        """The time that paths B N 2 spend at each pixel, B K K with K = 2 * reach + 1; each sums to 1.

        A place between pixels is shared out to the four around it, as bilinear interpolation has it.
        """
        side = 2 * self.reach + 1
        first = (paths + self.reach).floor()
        beyond = paths + self.reach - first
        kernels = torch.zeros(len(paths), side * side)
        for corner in torch.cartesian_prod(torch.arange(2), torch.arange(2)):
            shares = (1 - corner - beyond).abs().prod(-1)
            down, right = (first + corner).long().unbind(-1)
            kernels.scatter_add_(1, side * down + right, shares / paths.shape[1])
        return kernels.view(-1, side, side)


def convolved(image: Tensor, kernels: Tensor) -> Tensor:
    """Every image by its own kernel, all channels alike.

    Args:
        image: B C H W; what lies beyond its border is as the nearest pixel of it.
        kernels: B h w, of odd sides: the response to a single bright pixel.
    """
    down, right = kernels.shape[1] // 2, kernels.shape[2] // 2
    padded = F.pad(image, (right, right, down, down), mode="replicate")
    batch, channels = image.shape[:2]
    # Torch correlates: a convolution's kernel is turned around.
    weights = kernels.flip(1, 2)[:, None].repeat_interleave(channels, dim=0)
    blurred = F.conv2d(padded.reshape(1, batch * channels, *padded.shape[2:]), weights, groups=batch * channels)
    return blurred.view(image.shape)


def _evenly(lowest: float, highest: float, count: int, generator: torch.Generator) -> Tensor:
    return lowest + (highest - lowest) * torch.rand(count, generator=generator)
