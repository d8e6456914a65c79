"""The multi-scale patch discriminator of pix2pixHD (Wang et al., CVPR 2018, Sec. 3.2) in SPADE's version.

Every output judges one patch of the picture (Isola et al., CVPR 2017, Sec. 3.2.2); the same architecture looks at the
picture at several scales. SPADE (Park et al., CVPR 2019, Fig. 13) adds spectral norm to the layers with instance norm.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.layers.convolution import SpectralConv2d, init_weights

KERNEL_SIZE = 4
# Two on each side of an even kernel: at stride 1 a map grows by one pixel. Published weights were trained so.
PADDING = 2
NEGATIVE_SLOPE = 0.2


@dataclass(frozen=True)
class PatchDiscriminatorConfig:
    """The sizes of a MultiscalePatchDiscriminator, all at least 1.

    Attributes:
        num_scales: how many discriminators, each but the first on half the resolution of the one before.
        num_layers: convolutions of each before the one that predicts; the first, and all others but the last, halve
            the resolution.
        width: channels of the first layer; each next one has twice as many.
        max_width: no layer has more channels.
    """

    num_scales: int = 2
    num_layers: int = 4
    width: int = 64
    max_width: int = 512

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 1:
                raise InputError(f"discriminator {field.name} is {value!r}, expected an integer of at least 1")


class PatchDiscriminator(nn.Module):
    """One scale. Its layers are called ``model0``, ``model1``, … as in published checkpoints.

    Args:
        config: ``num_scales`` is not read.
        in_channels: channels of the input.
    """

    def __init__(self, config: PatchDiscriminatorConfig, in_channels: int) -> None:
        super().__init__()
        widths = [min(config.width << layer, config.max_width) for layer in range(config.num_layers)]
        first = nn.Conv2d(in_channels, widths[0], KERNEL_SIZE, stride=2, padding=PADDING)
        self.add_module("model0", nn.Sequential(first, nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)))
        for layer in range(1, config.num_layers):
            stride = 1 if layer == config.num_layers - 1 else 2
            self.add_module(f"model{layer}", _hidden_layer(widths[layer - 1], widths[layer], stride))
        prediction = nn.Conv2d(widths[-1], 1, KERNEL_SIZE, padding=PADDING)
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
    """Patch discriminators on a pyramid of one input.

    They are called ``discriminator_0`` (full resolution), ``discriminator_1``, … as in published checkpoints. Weights
    start as SPADE's do (Xavier normal, gain 0.02), from torch's global random numbers.

    Args:
        config: sizes.
        in_channels: channels of the input, condition and picture together; see ``num_input_channels``.
    """

    def __init__(self, config: PatchDiscriminatorConfig, in_channels: int) -> None:
        super().__init__()
        self.config = config
        for scale in range(config.num_scales):
            self.add_module(f"discriminator_{scale}", PatchDiscriminator(config, in_channels))
        init_weights(self)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Outputs per scale, fine to coarse; of each scale the outputs of all layers, the prediction last.

        Args:
            x: B in_channels H W.
        """
        outputs = []
        for scale, discriminator in enumerate(self.children()):
            if scale:
                x = F.avg_pool2d(x, kernel_size=3, stride=2, padding=1, count_include_pad=False)
            outputs.append(discriminator(x))
        return outputs


def _hidden_layer(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    # No bias: the instance norm would take it away again.
    conv = SpectralConv2d(in_channels, out_channels, KERNEL_SIZE, stride, PADDING, bias=False)
    normed = nn.Sequential(conv, nn.InstanceNorm2d(out_channels))
    return nn.Sequential(normed, nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True))
