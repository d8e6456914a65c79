"""The network of Johnson, Alahi and Fei-Fei (ECCV 2016, Sec. 3.1): strided convolutions reduce the picture, residual
blocks work on what is left, transposed convolutions enlarge it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from pixelwise.layers.layout import Layout

MakeNorm = Callable[[int], nn.Module]
"""From the number of channels to a module that normalises them."""

NORMS: Mapping[str, MakeNorm] = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}
"""As published: batch norm learns a scale and a shift, instance norm does not."""


@dataclass(frozen=True)
class Normalisation:
    """What follows convolutions.

    Attributes:
        make_norm: makes the norm.
        bias: whether convolutions have a bias in front of it.
    """

    make_norm: MakeNorm
    bias: bool

    def after(self, convolution: nn.Module, channels: int) -> list[nn.Module]:
        """The convolution, whose output has ``channels``, its norm, and ReLU."""
        return [convolution, self.make_norm(channels), nn.ReLU(inplace=True)]


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut; no activation after their sum.

    Args:
        channels: of input and output.
        normalisation: of both convolutions.
        make_noise: makes what stands between them; None for nothing.
    """

    def __init__(
        self, channels: int, normalisation: Normalisation, make_noise: Callable[[], nn.Module] | None = None
    ) -> None:
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3, bias=normalisation.bias) for _ in range(2))
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            *normalisation.after(first, channels),
            *([] if make_noise is None else [make_noise()]),
            nn.ReflectionPad2d(1),
            second,
            normalisation.make_norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """B channels H W to the same; H and W at least 2."""
        return x + self.body(x)  # type: ignore[no-any-return]


class ResidualTrunk(nn.Module):
    """The whole network but for its last convolution, see ``to_picture``.

    Args:
        first: the first convolution, to ``width`` channels of the input's size: see ``first_convolution``.
        width: channels at full resolution, of the output too; each reduction doubles them.
        num_downsamplings: reductions by 2.
        num_blocks: residual blocks at the lowest resolution.
        normalisation: of all convolutions.
        make_noise: see ``ResidualBlock``.
    """

    def __init__(
        self,
        first: nn.Module,
        width: int,
        num_downsamplings: int,
        num_blocks: int,
        normalisation: Normalisation,
        make_noise: Callable[[], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        bias = normalisation.bias
        widths = [width << level for level in range(num_downsamplings + 1)]
        self.entry = nn.Sequential(*normalisation.after(first, width))
        self.down = nn.Sequential(
            *(
                nn.Sequential(*normalisation.after(nn.Conv2d(wide, 2 * wide, 3, 2, 1, bias=bias), 2 * wide))
                for wide in widths[:-1]
            )
        )
        self.blocks = nn.Sequential(*(ResidualBlock(widths[-1], normalisation, make_noise) for _ in range(num_blocks)))
        self.up = nn.Sequential(
            *(
                nn.Sequential(*normalisation.after(nn.ConvTranspose2d(2 * wide, wide, 3, 2, 1, 1, bias=bias), wide))
                for wide in reversed(widths[:-1])
            )
        )

    def forward(self, x: Tensor | Layout, reduced: Tensor | None = None) -> Tensor:
        """B in_channels H W, or a layout if the first convolution reads one, to B width H W.

        Args:
            x: H and W multiples of 2^num_downsamplings, at least twice that and at least 4.
            reduced: features that are added to its own at the lowest resolution, of their shape.
        """
        own = self.down(self.entry(x))
        return self.up(self.blocks(own if reduced is None else own + reduced))  # type: ignore[no-any-return]


def first_convolution(in_channels: int, width: int, normalisation: Normalisation) -> nn.Conv2d:
    """From B in_channels H W to B width H W; H and W at least 4."""
    return nn.Conv2d(in_channels, width, 7, padding=3, padding_mode="reflect", bias=normalisation.bias)


def to_picture(width: int, out_channels: int, tanh: bool = True) -> nn.Sequential:
    """The last convolution: from B width H W to B out_channels H W, by tanh in [-1, 1]; H and W at least 4."""
    return nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), *([nn.Tanh()] if tanh else []))
