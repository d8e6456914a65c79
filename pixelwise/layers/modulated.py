"""The generator of Park et al. (CVPR 2019, Fig. 4 and 14), given what modulates its features: residual blocks between
which the picture doubles its size."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.convolution import SpectralConv2d
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulation import Modulation
from pixelwise.layers.start import Posterior, Start

MakeModulation = Callable[[int], Modulation]
"""From the number of channels to a modulation of them."""

MakeBlock = Callable[[int, int, int], nn.Module]
"""From a block's number and its input and output channels to a module from (features, layout) to features."""

_WIDTHS = (16, 16, 16, 16, 8, 4, 2, 1, 0.5)
"""Channels before the first block and after each, in units of the decoder's ``width``."""

NUM_UPSAMPLINGS = (5, 6, 7)
"""How often the picture doubles its size: "normal", "more" and "most" of the published options."""


def usual_widths(width: int, num_upsamplings: int) -> tuple[int, ...]:
    """Channels before the first block of a ModulatedDecoder and after each."""
    return tuple(int(width * share) for share in _WIDTHS[: 9 if num_upsamplings == 7 else 8])


class ModulatedBlock(nn.Module):
    """Two convolutions on modulated features, beside a shortcut.

    Args:
        in_channels, out_channels: where they differ, the shortcut is a modulation and a 1 x 1 convolution.
        modulate: makes the modulation that is in front of each convolution.
        groups: of all convolutions.
    """

    def __init__(self, in_channels: int, out_channels: int, modulate: MakeModulation, groups: int = 1) -> None:
        super().__init__()
        between = min(in_channels, out_channels)
        self.norm_0, self.norm_1 = modulate(in_channels), modulate(between)
        self.conv_0 = SpectralConv2d(self.norm_0.out_channels, between, 3, padding=1, groups=groups)
        self.conv_1 = SpectralConv2d(self.norm_1.out_channels, out_channels, 3, padding=1, groups=groups)
        self.norm_s = self.conv_s = None
        if in_channels != out_channels:
            self.norm_s = modulate(in_channels)
            self.conv_s = SpectralConv2d(self.norm_s.out_channels, out_channels, 1, bias=False, groups=groups)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B in_channels h w to B out_channels h w; the layout has any size."""
        layout = layout.at((x.shape[2], x.shape[3]))
        change = self.conv_0(F.leaky_relu(self.norm_0(x, layout), 0.2))
        change = self.conv_1(F.leaky_relu(self.norm_1(change, layout), 0.2))
        shortcut = x if self.norm_s is None or self.conv_s is None else self.conv_s(self.norm_s(x, layout))
        return shortcut + change  # type: ignore[no-any-return]


class ModulatedDecoder(nn.Module):
    """From 16 * ``width`` channels at 1 / 2^``num_upsamplings`` of the picture's size to the picture.

    Args:
        width: channels of the last but one resolution's block; or those before the first block and after each.
        num_upsamplings: one of ``NUM_UPSAMPLINGS``. The last one comes with an eighth block.
        out_channels: of the picture.
        make_block: makes the blocks.

    Attributes:
        start_channels: of what it reads.
        size_multiple: what height and width of its pictures are multiples of.
    """

    def __init__(
        self, width: int | tuple[int, ...], num_upsamplings: int, out_channels: int, make_block: MakeBlock
    ) -> None:
        super().__init__()
        widths = usual_widths(width, num_upsamplings) if isinstance(width, int) else width
        self.start_channels = widths[0]
        self.size_multiple = 2**num_upsamplings
        # Between the second and the third block only where there are more than the seven blocks need.
        self._stay = (0,) if num_upsamplings > 5 else (0, 2)
        blocks = enumerate(pairwise(widths))
        self.blocks = nn.ModuleList(make_block(number, before, after) for number, (before, after) in blocks)
        self.to_image = nn.Conv2d(widths[-1], out_channels, 3, padding=1)

    def start_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of what it reads for pictures of ``size``. Raises InputError for those that are too small."""
        if min(size) < self.size_multiple:
            raise InputError(f"size must be at least {self.size_multiple} x {self.size_multiple} pixels, got {size}")
        return size[0] // self.size_multiple, size[1] // self.size_multiple

    def grow(self, start: Start, condition: Condition, layout: Layout) -> tuple[Tensor, Posterior | None]:
        """A picture of the condition's size, with the posterior of its style if that was found.

        Args:
            start: what makes its first features.
            condition: of any size.
            layout: of the condition padded to ``size_multiple``.
        """
        features, posterior = start(condition, layout, self.start_size(layout.size))
        height, width = condition.size
        return self(features, layout)[:, :, :height, :width], posterior

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B start_channels h w, and the layout at any size, to B out_channels H W in [-1, 1]."""
        for number, block in enumerate(self.blocks):
            if number not in self._stay:
                x = F.interpolate(x, scale_factor=2.0)
            x = block(x, layout)
        return torch.tanh(self.to_image(F.leaky_relu(x, 0.2)))
