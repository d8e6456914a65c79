"""How clean images become what a restoring generator is given: noise, and one degradation after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.images import GREY_LEVEL


class Degrade(Protocol):
    """From clean images to degraded ones, drawing from the generator alone.

    Attributes:
        reach: pixels on every side that a degraded pixel depends on.
    """

    @property
    def reach(self) -> int: ...

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """B C H W in [-1, 1] to the same shape, perhaps beyond that range; drawn anew for each image."""


@dataclass(frozen=True)
class GaussianNoise:
    """Additive white Gaussian noise, never clipped (as DnCNN is trained and tested).

    Attributes:
        lowest, highest: the standard deviation is drawn evenly between them, one for each image; in grey levels 0..255.
        grey_alike: whether all channels of a picture in which they are equal get the same noise, as when a grey photo
            is taken for a coloured one.
    """

    lowest: float
    highest: float
    grey_alike: bool = False
    reach = 0

    def __post_init__(self) -> None:
        if not 0 <= self.lowest <= self.highest:
            raise InputError(f"noise needs 0 <= lowest <= highest, got {self.lowest} and {self.highest}")

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        sigma = self.lowest + (self.highest - self.lowest) * torch.rand(len(image), 1, 1, 1, generator=generator)
        noise = torch.randn(image.shape, generator=generator)
        if self.grey_alike:
            is_grey = (image == image[:, :1]).flatten(1).all(dim=1)
            noise[is_grey] = noise[is_grey, :1]
        return image + sigma * GREY_LEVEL * noise


@dataclass(frozen=True)
class Chain:
    """Degradations one after another, as light goes: first the lens and the hand, then the sensor's noise."""

    links: tuple[Degrade, ...]

    @property
    def reach(self) -> int:
        return sum(link.reach for link in self.links)

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        for link in self.links:
            image = link(image, generator)
        return image
