"""From a picture to the style of each of its classes (Zhu, Xu, You, Bai, CVPR 2020, Fig. 2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.layers.encoder import strided_convolutions
from pixelwise.layers.layout import Layout
from pixelwise.layers.start import Posterior

LATENT = 8
"""Channels of the latent map that belong to one class."""


class ClassEncoder(nn.Module):
    """Strided convolutions over the pixels of each class, which see nothing of the other classes.

    Args:
        num_labels: classes, don't care included.
        width: channels of the first convolution for each class.
        size: (height, width) that each class's pixels are stretched to, multiples of 64.
    """

    def __init__(self, num_labels: int, width: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.layers = strided_convolutions(3 * num_labels, width * num_labels, groups=num_labels)
        features = 8 * width * num_labels
        self.mean = nn.Conv2d(features, LATENT * num_labels, 3, padding=1, groups=num_labels)
        self.log_variance = nn.Conv2d(features, LATENT * num_labels, 3, padding=1, groups=num_labels)

    def forward(self, picture: Tensor, layout: Layout) -> Posterior:
        """Mean and log-variance of each class's style, B (8 num_labels) h w each, at 1/64 of ``size``.

        Args:
            picture: B 3 H W in [-1, 1].
            layout: of any size; it is stretched over the picture.
        """
        x = class_crops(picture, layout.at((picture.shape[2], picture.shape[3])), self.size)
        for layer in self.layers:
            x = F.leaky_relu(F.instance_norm(layer(x)), 0.2)
        return self.mean(x), self.log_variance(x)


def class_crops(picture: Tensor, layout: Layout, size: tuple[int, int]) -> Tensor:
    """Each class by itself, cut out along its bounding box and resized by nearest neighbour; 0 where others are.

    Args:
        picture: B C H W.
        layout: of the same size; only its labels are read.
        size: (height, width) of the results.

    Returns:
        B (num_labels * C), of ``size``; class by class.
    """
    assert layout.labels is not None
    regions = layout.planes[:, : layout.num_labels]
    rows = _stretched(regions.amax(dim=3), size[0])[:, :, :, None]
    columns = _stretched(regions.amax(dim=2), size[1])[:, :, None, :]
    batch = torch.arange(len(picture), device=picture.device)[:, None, None, None]
    classes = torch.arange(layout.num_labels, device=picture.device)[:, None, None]
    of_class = layout.labels[batch, rows, columns] == classes
    pixels = picture.movedim(1, -1)[batch, rows, columns] * of_class[..., None]
    return pixels.movedim(-1, 2).flatten(1, 2)


def _stretched(occupied: Tensor, length: int) -> Tensor:
    """From 1.0 and 0.0, B K n, to ``length`` indices from the first 1.0 to the last, evenly: B K length."""
    first = occupied.argmax(dim=2, keepdim=True)
    end = occupied.shape[2] - occupied.flip(2).argmax(dim=2, keepdim=True)
    return first + torch.arange(length, device=occupied.device) * (end - first) // length
