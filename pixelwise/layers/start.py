"""What a picture grows from: features at a small fraction of its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.encoder import LATENT, ImageEncoder, sample
from pixelwise.layers.layout import Layout

Posterior = tuple[Tensor, Tensor]
"""Mean and log-variance, B Z each."""

Start = Callable[[Condition, Layout, tuple[int, int]], tuple[Tensor, Posterior | None]]
"""From a condition, its layout and a size to features of that size, with the posterior of the style if it was found."""


def find_latent(
    condition: Condition, encode: Callable[[Tensor], Posterior], draw: Callable[[int], Tensor], training: bool
) -> tuple[Tensor, Posterior | None]:
    """The style to make a picture in, B Z: the condition's latent, or what is found in its style picture, or a draw.

    Of a posterior, training takes a sample, inference the mean.

    Args:
        condition: with a latent, a style picture, or neither.
        encode: from a style picture, B 3 H W, to its posterior.
        draw: that many styles, from the standard Gaussian.
        training: whether the network is in training mode.

    Returns:
        The style, and the style picture's posterior if it was found there.
    """
    if condition.latent is not None:
        return condition.latent, None
    if condition.style is None:
        return draw(len(condition)), None
    posterior = encode(condition.style)
    return sample(*posterior) if training else posterior[0], posterior


class LayoutStart(nn.Module):
    """A convolution over the layout, resized to the start's size.

    Args:
        layout_channels: of ``Layout.planes``.
        channels: of the start.
        offsets: also reads the layout's offsets ("+disti" of Tan et al., TPAMI 2021, Sec. 4.9).
    """

    def __init__(self, layout_channels: int, channels: int, offsets: bool = False) -> None:
        super().__init__()
        self.offsets = offsets
        self.convolution = nn.Conv2d(layout_channels + 2 * offsets, channels, 3, padding=1)

    def forward(self, condition: Condition, layout: Layout, size: tuple[int, int]) -> tuple[Tensor, Posterior | None]:
        """B channels, of ``size``; no posterior. It reads the layout itself, nothing that networks have made of it."""
        small = replace(layout, features=()).at(size)
        planes = [small.planes] if small.offsets is None or not self.offsets else [small.planes, small.offsets]
        return self.convolution(torch.cat(planes, dim=1)), None


class StyleStart(nn.Module):
    """A linear layer over a style: the condition's latent, what the encoder finds in its style picture, or a draw.

    Args:
        channels: of the start.
        size: (height, width) that the linear layer makes; for another one its features are interpolated.
        encoder: finds styles.
    """

    def __init__(self, channels: int, size: tuple[int, int], encoder: ImageEncoder) -> None:
        super().__init__()
        self.size = size
        self.linear = nn.Linear(LATENT, channels * size[0] * size[1])
        self.encoder = encoder

    def forward(self, condition: Condition, layout: Layout, size: tuple[int, int]) -> tuple[Tensor, Posterior | None]:
        """B channels, of ``size``, and the style picture's posterior, if there is one; see ``find_latent``.

        Raises:
            InputError: a latent of another length than 256.
        """
        latent, posterior = find_latent(condition, self.encoder, self.draw, self.training)
        if latent.shape[1] != LATENT:
            raise InputError(f"a style has {LATENT} numbers, the condition's latent {latent.shape[1]}")
        start = self.linear(latent).unflatten(1, (-1, *self.size))
        return start if size == self.size else F.interpolate(start, size, mode="bilinear"), posterior

    def encode(self, condition: Condition) -> Tensor:
        """The style of the condition's style picture: the posterior's mean, B 256."""
        assert condition.style is not None
        return self.encoder(condition.style)[0]  # type: ignore[no-any-return]

    def draw(self, num_styles: int) -> Tensor:
        """Styles from the standard Gaussian: num_styles 256."""
        weight = self.linear.weight
        return torch.randn(num_styles, LATENT, dtype=weight.dtype, device=weight.device)
