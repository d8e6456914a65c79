"""The discriminator of PAN (Wang et al., TIP 2018), whose hidden layers are also what a picture is compared by.

Eight convolutions, of which every second one halves the resolution; pictures are compared by the first, fourth, sixth
and eighth, one of each resolution. It judges a picture without its condition, which the comparison makes up for.

The paper itself was not at hand: widths and kernels are from memory. Where its last layer judges a whole picture, this
one judges every place, so that pictures may be of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from pixelwise.discriminators.size import check_larger, check_width
from pixelwise.layers.convolution import init_gaussian_weights

_WIDTHS = (1, 2, 2, 4, 4, 8, 8, 8)
_COMPARED = (0, 3, 5, 7)
_REDUCTION = 1 << len(_WIDTHS) // 2


@dataclass(frozen=True)
class PerceptualDiscriminatorConfig:
    """The size of a PerceptualDiscriminator.

    Attributes:
        width: channels of the first layer, at least 1; the next ones have 2, 2, 4, 4, 8, 8 and 8 times as many.
    """

    width: int = 64

    def __post_init__(self) -> None:
        check_width(self.width)


class PerceptualDiscriminator(nn.Module):
    """Weights start as pix2pix's do (Gaussian, deviation 0.02), from torch's global random numbers.

    Args:
        config: its size.
        semantic_channels: channels of the condition, which are not read.
        picture_channels: channels of the picture.
    """

    def __init__(self, config: PerceptualDiscriminatorConfig, semantic_channels: int, picture_channels: int) -> None:
        super().__init__()
        self.config = config
        self.semantic_channels = semantic_channels
        widths = [picture_channels, *(config.width * share for share in _WIDTHS)]
        self.layers = nn.ModuleList(
            _layer(before, after, stride=1 if number % 2 else 2)
            for number, (before, after) in enumerate(pairwise(widths))
        )
        self.prediction = nn.Conv2d(widths[-1], 1, 1)
        init_gaussian_weights(self)

    def forward(self, x: Tensor, *smaller: Tensor) -> list[list[Tensor]]:
        """Of the one scale the features of the four layers that are compared, then the prediction B 1 h w.

        Args:
            x: B (semantic_channels + picture_channels) H W, the condition first; of any size, H or W above 16.
            smaller: of a generator that makes its picture at several sizes; not read.

        Raises:
            InputError: a picture so small that a single place would be left to normalise over.
        """
        check_larger(x, _REDUCTION, "a perceptual discriminator")
        x = x[:, self.semantic_channels :]
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return [[*(features[place] for place in _COMPARED), self.prediction(x)]]


def _layer(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """In front of a norm a bias would do nothing."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2))
