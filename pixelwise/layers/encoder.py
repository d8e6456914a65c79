"""From a picture to a Gaussian posterior of its style (Park et al., CVPR 2019, Sec. 3.1 and Fig. 15)."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.layers.convolution import SpectralConv2d

LATENT = 256
"""Numbers that describe a style. The published encoder has this many whatever its options say."""

_WORKING_SIZE = 256
_MULTIPLES = (1, 2, 4, 8, 8, 8)


def strided_convolutions(in_channels: int, width: int, num_layers: int = 6, groups: int = 1) -> nn.ModuleList:
    """Convolutions of which each halves the resolution, for an instance norm behind each.

    Args:
        width: channels of the first one; the fourth and all that follow have eight times as many.
        groups: of all of them.
    """
    channels = [in_channels, *(width * multiple for multiple in _MULTIPLES[:num_layers])]
    return nn.ModuleList(
        SpectralConv2d(before, after, 3, stride=2, padding=1, bias=False, groups=groups)
        for before, after in pairwise(channels)
    )


class ImageEncoder(nn.Module):
    """Strided convolutions over the picture, resized to 256 x 256.

    Args:
        width: channels of the first convolution.
        picture_width: of the pictures that the model is for, in pixels: with less than 256 the last layer is left out.
    """

    def __init__(self, width: int, picture_width: int = _WORKING_SIZE) -> None:
        super().__init__()
        num_layers = len(_MULTIPLES) - (picture_width < _WORKING_SIZE)
        self.layers = strided_convolutions(3, width, num_layers)
        features = width * _MULTIPLES[num_layers - 1] * (_WORKING_SIZE >> num_layers) ** 2
        self.mean, self.log_variance = nn.Linear(features, LATENT), nn.Linear(features, LATENT)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """B 3 H W in [-1, 1], of any size, to mean and log-variance, B 256 each."""
        size = (_WORKING_SIZE, _WORKING_SIZE)
        x = picture if picture.shape[-2:] == size else F.interpolate(picture, size, mode="bilinear")
        for layer in self.layers:
            x = F.leaky_relu(F.instance_norm(layer(x)), 0.2)
        x = x.flatten(1)
        return self.mean(x), self.log_variance(x)


def sample(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draws from a diagonal Gaussian; gradients reach both (Kingma and Welling 2014, Sec. 2.4)."""
    return torch.addcmul(mean, torch.randn_like(mean), (log_variance / 2).exp())
