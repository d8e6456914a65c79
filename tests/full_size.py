"""What published configurations cost, counted without computing anything."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.metrics.complexity import count_macs, num_parameters
from pixelwise.models.family import Published


def millions_and_gmacs(published: Published, build: type[nn.Module]) -> tuple[float, float]:
    """Parameters in millions, multiply-adds of one picture in thousands of millions."""
    with torch.device("meta"):
        generator = build(published.config).eval()
        macs = count_macs(generator, _condition(published))
    return num_parameters(generator) / 1e6, macs.total / 1e9


def gmacs_with_zeros(published: Published, build: type[nn.Module], style: bool = False) -> float:
    """Multiply-adds as some papers count them: of transposed convolutions one for each value of the kernel and of the
    *output*, as if what is between the values of the input, all zeros, were multiplied too.

    With a stride of 2 that is four times as many as are computed.

    Args:
        style: whether a style picture is read.
    """
    counted: list[float] = []

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer, nn.ConvTranspose2d)
        computed, all_of_them = (x[0, 0].numel() * layer.weight.numel() for x in (inputs[0], output))
        counted.append((all_of_them - computed) / 1e9)

    with torch.device("meta"):
        generator = build(published.config).eval()
        for layer in generator.modules():
            if isinstance(layer, nn.ConvTranspose2d):
                layer.register_forward_hook(count)
        total = count_macs(generator, _condition(published, style)).total
    return total / 1e9 + sum(counted)


def _condition(published: Published, style: bool = False) -> Condition:
    labels = torch.zeros(1, *published.size, dtype=torch.int64)
    channels = published.config.image_channels
    image = torch.zeros(1, channels, *published.size) if channels else None
    picture = torch.zeros(1, 3, *published.size) if style else None
    return Condition(labels=labels, instances=labels, image=image, style=picture)
