"""The definition of ASAP-Net's low-resolution stream (Sec. 3.2): G of Eq. 2, differentiable.

It sees the input reduced, first by a tent-shaped filter, then by strided convolutions, and predicts the parameters of
one MLP per cell. The other files of this folder compute the same faster; they are held equal to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORMS: Mapping[str, Callable[[int], nn.Module]] = {
    "instance": lambda width: nn.InstanceNorm2d(width, affine=True),
    "batch": nn.BatchNorm2d,
    "none": lambda width: nn.Identity(),
}
PADDINGS = ("zeros", "reflect", "replicate")


@dataclass(frozen=True)
class StreamConfig:
    """What the stream is built from.

    Attributes:
        channels: input planes.
        reduction: S1, done by the tent filter.
        strided_reduction: S2, a power of two, done by strided convolutions.
        width, max_width: channels of the first convolutions and of the blocks.
        num_blocks: convolutions at the cells' resolution.
        separable_blocks: whether these are separable.
        padding: a name of ``PADDINGS``.
        norm: a name of ``NORMS``.
        num_parameters: P, output planes.
    """

    channels: int
    reduction: int
    strided_reduction: int
    width: int
    max_width: int
    num_blocks: int
    separable_blocks: bool
    padding: str
    norm: str
    num_parameters: int


class TentReduction(nn.Module):
    """Reduction by the factor S1 with a tent-shaped filter ("bilinear downsampling", Sec. 3.2).

    B C H W to B C H/S1 W/S1.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride
        rising = [(2 * index + 1) / (2 * stride**2) for index in range(stride)]
        self.register_buffer("taps", torch.tensor([*rising, *reversed(rising)], dtype=torch.float32), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return x
        channels, taps = x.shape[1], self.get_buffer("taps")
        x = F.pad(x, (self.stride // 2,) * 4, mode="reflect")
        x = F.conv2d(x, taps.expand(channels, 1, 1, -1), stride=(1, self.stride), groups=channels)
        return F.conv2d(x, taps[:, None].expand(channels, 1, -1, 1), stride=(self.stride, 1), groups=channels)


class ConvolutionBlock(nn.Sequential):
    """3 x 3 convolution, norm, ReLU. The bias is the norm's."""

    def __init__(self, inputs: int, outputs: int, config: StreamConfig, stride: int = 1) -> None:
        bias = config.norm == "none"
        convolution = nn.Conv2d(
            inputs,
            outputs,
            kernel_size=3,
            stride=stride,
            padding=1,
            padding_mode=config.padding,  # type: ignore[arg-type]
            bias=bias,
        )
        super().__init__(convolution, NORMS[config.norm](outputs), nn.ReLU())

    @property
    def convolution(self) -> nn.Conv2d:
        convolution = self[0]
        assert isinstance(convolution, nn.Conv2d)
        return convolution

    @property
    def norm(self) -> nn.Module:
        return self[1]


class SeparableBlock(nn.Sequential):
    """A depthwise 3 x 3 and a 1 x 1 convolution in place of one of all channels with all; norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, config: StreamConfig) -> None:
        depthwise = nn.Conv2d(
            inputs,
            inputs,
            kernel_size=3,
            padding=1,
            padding_mode=config.padding,  # type: ignore[arg-type]
            groups=inputs,
            bias=False,
        )
        pointwise = nn.Conv2d(inputs, outputs, 1, bias=config.norm == "none")
        super().__init__(depthwise, pointwise, NORMS[config.norm](outputs), nn.ReLU())


class LowResolutionStream(nn.Module):
    """G of Eq. 2: the input's planes B C H W to parameters B P H/S W/S."""

    def __init__(self, config: StreamConfig) -> None:
        super().__init__()
        num_strided = config.strided_reduction.bit_length() - 1
        widths = [config.width] * num_strided + [config.max_width]
        self.reduction = TentReduction(config.reduction)
        self.front = ConvolutionBlock(config.channels, widths[0], config)
        self.strided = nn.Sequential(*[ConvolutionBlock(a, b, config, stride=2) for a, b in pairwise(widths)])
        block = SeparableBlock if config.separable_blocks else ConvolutionBlock
        blocks = [block(config.max_width, config.max_width, config) for _ in range(config.num_blocks)]
        self.blocks = nn.Sequential(*blocks)
        self.to_parameters = nn.Conv2d(config.max_width, config.num_parameters, 1)

    def forward(self, planes: Tensor) -> Tensor:
        x = self.front(self.reduction(planes))
        parameters: Tensor = self.to_parameters(self.blocks(self.strided(x)))
        return parameters


class ConstantParameters(nn.Module):
    """The same learned parameters everywhere: the ablation of Fig. 9c, a stack of 1 x 1 convolutions."""

    def __init__(self, num_parameters: int, cell: int) -> None:
        super().__init__()
        self.cell = cell
        self.bias = nn.Parameter(torch.zeros(num_parameters))

    def forward(self, planes: Tensor) -> Tensor:
        batch, _, height, width = planes.shape
        # Not a view of the weights: without gradients, torch's counter of operations cannot follow one.
        return self.bias[:, None, None] + planes.new_zeros(batch, 1, height // self.cell, width // self.cell)
