"""MSG U-Net: Laxman, Dubey, Kalyan, Kojjarapu, "Efficient High-Resolution Image-to-Image Translation using Multi-Scale
Gradient U-Net", 2021.

A U-Net reads the source at several sizes and makes the picture at all of them (Fig. 1). Each has a discriminator of its
own, so that gradients enter the decoder at every size instead of having to come all the way from the largest one.

The paper leaves open how many channels there are, and how large the decoder's kernels. With pix2pix's channels, and the
encoder's kernels of 4 x 4 everywhere, the network costs what the paper says. Weights start as pix2pix's do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PIX2PIX, PatchDiscriminatorConfig
from pixelwise.layers.convolution import init_gaussian_weights
from pixelwise.layers.pyramid import pyramid
from pixelwise.layers.semantics import semantic_planes
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least

_WIDEST = 8
"""The most channels, in units of ``width``."""

_KERNEL_SIZE = 4


@dataclass(frozen=True)
class MsgUNetConfig:
    """What the paper varies, and what tells networks of its kind apart.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels. The paper reads label maps
            as pictures.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        width: channels at full size; twice as many at each smaller one, up to eight times.
        num_scales: sizes that the source is read and the picture made at, each half of the one before.
        num_downsamplings: by 2, below the smallest of them.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_scales: int = 5
    num_downsamplings: int = 4

    def __post_init__(self) -> None:
        check_least("msgunet", self, 1, "width", "num_scales", "num_downsamplings")

    @property
    def in_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at every size, from full size to the smallest one."""
        return tuple(self.width * min(2**level, _WIDEST) for level in range(self.num_scales + self.num_downsamplings))


class MsgUNet(nn.Module):
    """The generator (Fig. 1): ``condition`` of any size to a picture of the same size, and smaller ones of it."""

    def __init__(self, config: MsgUNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        scales = widths[: config.num_scales]
        self.size_multiple = 2 ** (len(widths) - 1)
        self.entry = nn.Sequential(_block(config.in_channels, widths[0]), _block(widths[0], widths[0]))
        self.down = nn.ModuleList(_halving_block(finer, coarser) for finer, coarser in pairwise(widths))
        self.fuse = nn.ModuleList(_fusing_block(width + config.in_channels, width) for width in scales[1:])
        self.up = nn.ModuleList(_doubling_block(coarser, finer) for finer, coarser in pairwise(widths))
        self.refine = nn.ModuleList(_block(width, width) for width in widths[:-1])
        self.to_picture = nn.ModuleList(_to_picture(width, config.out_channels) for width in scales)
        init_gaussian_weights(self)

    def forward(self, condition: Condition) -> Translation:
        config = self.config
        # Two places a side at the smallest size: of a single one batch norm has no statistics.
        padded = condition.padded(self.size_multiple, 2 * self.size_multiple)
        source = semantic_planes(padded, config.num_labels, config.image_channels, config.instance_edges)
        features = self._decode(self._encode(pyramid(source, config.num_scales)))
        image, *smaller = (
            to_picture(x)[:, :, : _reduced(condition.size[0], level), : _reduced(condition.size[1], level)]
            for level, (to_picture, x) in enumerate(zip(self.to_picture, features, strict=False))
        )
        return Translation(image, pyramid=tuple(smaller))

    def _encode(self, source: list[Tensor]) -> list[Tensor]:
        """The source at all scales to features of every size, fine to coarse."""
        x = self.entry(source[0])
        found = [x]
        for level, down in enumerate(self.down, start=1):
            x = down(x)
            if level < len(source):
                x = self.fuse[level - 1](torch.cat([x, source[level]], dim=1))
            found.append(x)
        return found

    def _decode(self, found: list[Tensor]) -> list[Tensor]:
        """What the encoder has found to features of every size but the smallest, fine to coarse."""
        x, features = found[-1], []
        for level in reversed(range(len(self.up))):
            x = self.refine[level](self.up[level](x) + found[level])
            features.append(x)
        return features[::-1]


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(*_convolution(in_channels, out_channels, bias=False), *_normalised(out_channels))


def _halving_block(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, _KERNEL_SIZE, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, *_normalised(out_channels))


def _fusing_block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), *_normalised(out_channels))


def _doubling_block(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(in_channels, out_channels, _KERNEL_SIZE, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, *_normalised(out_channels))


def _to_picture(width: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(*_convolution(width, out_channels, bias=True), nn.Tanh())


def _convolution(in_channels: int, out_channels: int, bias: bool) -> list[nn.Module]:
    """Of stride 1; an even kernel has no middle, and keeps the size with one pixel more on two sides."""
    return [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(in_channels, out_channels, _KERNEL_SIZE, bias=bias)]


def _normalised(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.LeakyReLU(0.2, inplace=True)]


def _reduced(side: int, level: int) -> int:
    """A side of the picture, in pixels, after as many halvings, rounded up."""
    return -(-side >> level)


def discriminator(config: MsgUNetConfig) -> PatchDiscriminatorConfig:
    """pix2pix's, once for each scale (Sec. 2.2)."""
    return replace(PIX2PIX, num_scales=config.num_scales)


_SOURCE = "as described in the paper; the weights of its authors were not at hand"
_LICENCE = "none stated in the paper"
_RGB = MsgUNetConfig(image_channels=3, out_channels=3)

PUBLISHED = {
    "cityscapes1024x2048": Published(_RGB, (1024, 2048), _SOURCE, _LICENCE),
    "nyu512": Published(replace(_RGB, num_scales=4), (512, 512), _SOURCE, _LICENCE),
    "maps512": Published(replace(_RGB, num_scales=4), (512, 512), _SOURCE, _LICENCE),
}
"""Coloured label maps to photos, and aerial photos to maps. At 512 x 512 the topmost scale is removed (Sec. 3.1); the
next one then has ``width`` channels, since a pixel is to cost as much as before: pix2pixHD's 2.5th part."""


def adopt(state_dict: StateDict, config: MsgUNetConfig) -> StateDict:
    """Nothing is renamed, in either direction: the weights of the paper's authors were not at hand, and others have our
    names."""
    return state_dict


# Eq. 1, but for what all losses here have in common: they are means over scales instead of sums, which divides all of
# it by one number and is nothing to Adam; and predictions are no features.
FAMILY = Family(
    name="msgunet",
    paper="Laxman et al., Efficient High-Resolution Image-to-Image Translation using Multi-Scale Gradient U-Net, 2021",
    config=MsgUNetConfig,
    generator=MsgUNet,
    objective=Objective(
        adversarial="least_squares", feature_matching=10.0, perceptual=0.25, kl=0.0, perceptual_layers="all"
    ),
    discriminator=discriminator,
    published=PUBLISHED,
    adopt=adopt,
    as_published=adopt,
)
