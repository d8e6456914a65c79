"""What networks trained on ImageNet read, and what of them is looked at."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from pixelwise.errors import InputError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of red, green and blue in 0..1, over the set's photos."""


class ImageNetScale(nn.Module):
    """Pictures as torchvision's networks were shown them: each channel by its mean and standard deviation.

    Args:
        reader: the network, as messages call it.
        min_size: the least height and width that it can read, in pixels.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, reader: str, min_size: int) -> None:
        super().__init__()
        self.reader, self.min_size = reader, min_size
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    def forward(self, picture: Tensor) -> Tensor:
        """B 3 H W, or B 1 H W for grey, in [-1, 1], to B 3 H W.

        Raises:
            InputError: another number of channels, or a picture that is too small.
        """
        _, channels, height, width = picture.shape
        if channels not in (1, 3) or min(height, width) < self.min_size:
            raise InputError(
                f"picture is {tuple(picture.shape)}, {self.reader} expects B 1 or 3, "
                f"at least {self.min_size}, at least {self.min_size}"
            )
        return ((picture + 1) / 2 - self.mean) / self.std


def activations(layers: nn.Sequential, places: Collection[int], x: Tensor) -> list[Tensor]:
    """What the layers at those places, counted from 0, make of ``x``, in their order."""
    found = []
    for place, layer in enumerate(layers):
        x = layer(x)
        if place in places:
            found.append(x)
    return found
