"""The patch discriminator of pix2pix, the multi-scale one of pix2pixHD, and SPADE's version of it.

Every output judges one patch of the picture (Isola et al., CVPR 2017, Sec. 3.2.2); the same architecture looks at the
picture at several scales (Wang et al., CVPR 2018, Sec. 3.2). SPADE (Park et al., CVPR 2019, Fig. 13) adds spectral norm
to the layers with instance norm.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.layers.convolution import SpectralConv2d, init_gaussian_weights, init_weights
from pixelwise.layers.residual import NORMS

KERNEL_SIZE = 4
NEGATIVE_SLOPE = 0.2


@dataclass(frozen=True)
class PatchDiscriminatorConfig:
    """The sizes of a MultiscalePatchDiscriminator, all at least 1, and what normalises; the defaults are SPADE's.

    Attributes:
        num_scales: how many discriminators, each but the first on half the resolution of the one before.
        num_layers: convolutions of each before the one that predicts; the first, and all others but the last, halve
            the resolution.
        width: channels of the first layer; each next one has twice as many.
        max_width: no layer has more channels.
        padding: pixels on each side of an even kernel: with 2 a map grows by one pixel at stride 1, with 1 it shrinks.
        norm: of all layers but the first and the last, "instance" or "batch".
        spectral: whether the same layers have spectral norm.
    """

    num_scales: int = 2
    num_layers: int = 4
    width: int = 64
    max_width: int = 512
    padding: int = 2
    norm: str = "instance"
    spectral: bool = True

    def __post_init__(self) -> None:
        for name in ("num_scales", "num_layers", "width", "max_width", "padding"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise InputError(f"discriminator {name} is {value!r}, expected an integer of at least 1")
        if self.norm not in NORMS:
            raise InputError(f"discriminator norm is {self.norm!r}, expected one of {', '.join(NORMS)}")

    @property
    def strides(self) -> tuple[int, ...]:
        """Of the layers of each in order, the one that predicts last."""
        return (2, *[2] * (self.num_layers - 2), *[1] * (self.num_layers > 1), 1)

    @property
    def min_side(self) -> int:
        """The least height and width of a picture, in pixels, of which anything is left at the end."""
        side = 1
        for stride in reversed(self.strides):
            side = max(1, (side - 1) * stride + KERNEL_SIZE - 2 * self.padding)
        return side


PIX2PIX = PatchDiscriminatorConfig(num_scales=1, padding=1, norm="batch", spectral=False)
"""Judges patches of 70 x 70 pixels."""

PIX2PIX_HD = PatchDiscriminatorConfig(num_scales=3, spectral=False)
"""With the paper's three scales (Sec. 3.2); its authors' code has two if not told otherwise."""


class PatchDiscriminator(nn.Module):
    """One scale. Its layers are called ``model0``, ``model1``, … as in published checkpoints.

    Args:
        config: ``num_scales`` is not read.
        in_channels: channels of the input.
    """

    def __init__(self, config: PatchDiscriminatorConfig, in_channels: int) -> None:
        super().__init__()
        widths = [min(config.width << layer, config.max_width) for layer in range(config.num_layers)]
        first = nn.Conv2d(in_channels, widths[0], KERNEL_SIZE, config.strides[0], config.padding)
        self.add_module("model0", nn.Sequential(first, nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)))
        for layer in range(1, config.num_layers):
            hidden = _hidden_layer(config, widths[layer - 1], widths[layer], config.strides[layer])
            self.add_module(f"model{layer}", hidden)
        prediction = nn.Conv2d(widths[-1], 1, KERNEL_SIZE, padding=config.padding)
        self.add_module(f"model{config.num_layers}", nn.Sequential(prediction))

    def forward(self, x: Tensor) -> list[Tensor]:
        """The outputs of all layers in order: features, then the prediction B 1 h w.

        Args:
            x: B in_channels H W.
        """
        outputs = []
        for layer in self.children():
            x = layer(x)
            outputs.append(x)
        return outputs


class MultiscalePatchDiscriminator(nn.Module):
    """Patch discriminators, each of pictures of its own size.

    They are called ``discriminator_0`` (full resolution), ``discriminator_1``, … as in published checkpoints. Weights
    start from torch's global random numbers: as SPADE's do (Xavier normal, gain 0.02), or without spectral norm, where
    their scale matters, as pix2pix's do (Gaussian, deviation 0.02).

    Args:
        config: sizes.
        in_channels: channels of the input, condition and picture together; see ``num_input_channels``.
    """

    def __init__(self, config: PatchDiscriminatorConfig, in_channels: int) -> None:
        super().__init__()
        self.config = config
        for scale in range(config.num_scales):
            self.add_module(f"discriminator_{scale}", PatchDiscriminator(config, in_channels))
        init_weights(self) if config.spectral else init_gaussian_weights(self)

    def forward(self, x: Tensor, *smaller: Tensor) -> list[list[Tensor]]:
        """Outputs per scale, fine to coarse; of each scale the outputs of all layers, the prediction last.

        Args:
            x: B in_channels H W.
            smaller: the same at half the size, at a quarter, …, of a generator that makes its picture at several sizes
                (Laxman et al., 2021, Sec. 2.2). A scale that none is left for sees the one before reduced.

        Raises:
            InputError: a scale's picture is smaller than the configuration's ``min_side``.
        """
        outputs = []
        for scale, discriminator in enumerate(self.children()):
            if scale:
                x = smaller[scale - 1] if scale <= len(smaller) else _reduced(x)
            if min(x.shape[-2:]) < self.config.min_side:
                raise InputError(
                    f"discriminator {scale} needs pictures of at least {self.config.min_side} pixels in height and "
                    f"width, got (height, width) {tuple(x.shape[-2:])}: give it larger ones, or have fewer scales"
                )
            outputs.append(discriminator(x))
        return outputs


def _reduced(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, kernel_size=3, stride=2, padding=1, count_include_pad=False)


def _hidden_layer(config: PatchDiscriminatorConfig, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    sizes = in_channels, out_channels, KERNEL_SIZE, stride, config.padding
    # In front of a norm a bias does nothing, but published weights with instance norm have one.
    bias = config.norm == "instance" and not config.spectral
    conv = SpectralConv2d(*sizes, bias=bias) if config.spectral else nn.Conv2d(*sizes, bias=bias)
    normed = nn.Sequential(conv, NORMS[config.norm](out_channels))
    return nn.Sequential(normed, nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True))
