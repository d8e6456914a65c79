"""How clean images become what a restoring generator is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelwise.errors import InputError

Degrade = Callable[[Tensor, torch.Generator], Tensor]
"""From clean images B C H W in [-1, 1] to degraded ones of the same shape, drawing from the generator alone."""

_GREY_LEVEL = 2 / 255


@dataclass(frozen=True)
class GaussianNoise:
    """Additive white Gaussian noise, never clipped (as DnCNN is trained and tested).

    Attributes:
        lowest, highest: the standard deviation is drawn evenly between them, one for each image; in grey levels 0..255.
    """

    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not 0 <= self.lowest <= self.highest:
            raise InputError(f"noise needs 0 <= lowest <= highest, got {self.lowest} and {self.highest}")

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        sigma = self.lowest + (self.highest - self.lowest) * torch.rand(len(image), 1, 1, 1, generator=generator)
        return image + sigma * _GREY_LEVEL * torch.randn(image.shape, generator=generator)
