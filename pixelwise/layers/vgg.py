"""VGG's convolutions: Simonyan and Zisserman, "Very Deep Convolutional Networks …", ICLR 2015, Table 1."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

Stages = Iterable[tuple[int, int]]
"""Between two poolings each: (channels, convolutions)."""

VGG16_STAGES: Stages = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
VGG19_STAGES: Stages = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Columns D and E."""

MIN_SIZE = 16
"""The least height and width that can be halved four times, in pixels."""


def vgg_layers(stages: Stages, num_layers: int | None = None) -> nn.Sequential:
    """From the picture to the last activation, or the first so many layers; numbered as torchvision's ``features``."""
    layers: list[nn.Module] = []
    in_channels = 3
    for channels, num_convolutions in stages:
        if layers:
            layers.append(nn.MaxPool2d(2))
        for _ in range(num_convolutions):
            layers += [nn.Conv2d(in_channels, channels, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
            in_channels = channels
    return nn.Sequential(*layers[:num_layers])
