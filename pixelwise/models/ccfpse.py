"""CC-FPSE: Liu, Yin, Shao, Wang, Li, "Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image
Synthesis", NeurIPS 2019.

Grass and sky should be drawn by different convolutions. So a network looks at the label map and predicts, for every
place and channel, a depthwise kernel, and a gate on what it draws (Sec. 3.1). The label map comes with a feature
pyramid of itself, which tells each place of its surroundings. The paper's discriminator (Sec. 3.2) is
``discriminators.feature_pyramid``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.feature_pyramid import FeaturePyramidConfig
from pixelwise.errors import InputError
from pixelwise.layers.convolution import SpectralConv2d, spectral_layer
from pixelwise.layers.encoder import ImageEncoder
from pixelwise.layers.layout import Layout
from pixelwise.layers.layout_convolution import LayoutConv2d
from pixelwise.layers.modulated import ModulatedDecoder
from pixelwise.layers.modulation import BatchNorm, SpatialModulation
from pixelwise.layers.published_names import DECODER, ENCODER, SPATIAL_MODULATION, Renames, renamed, renamed_back
from pixelwise.layers.start import LayoutStart, StyleStart
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least, styling_of_start

KERNEL_SIZE = 3
"""Side of the predicted kernels."""

_NUM_TAPS = KERNEL_SIZE**2


@dataclass(frozen=True)
class CcfpseConfig:
    """The published options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        width: "ngf", of the pyramid's features too.
        num_upsamplings: 5 or 6: "normal", or "more" as for Cityscapes.
        hidden: channels between the convolutions that read the label map.
        style: grows the picture from a style, the paper's noise, instead of the label map.
        size: (height, width) that a model with a style was built for, since a linear layer makes its start.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_upsamplings: int = 5
    hidden: int = 128
    style: bool = False
    size: tuple[int, int] = (256, 256)

    def __post_init__(self) -> None:
        check_least("ccfpse", self, 1, "width", "hidden")
        if self.num_upsamplings not in (5, 6):
            raise InputError(f"ccfpse: num_upsamplings must be 5 or 6, got {self.num_upsamplings}")

    @property
    def layout_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges


class Ccfpse(nn.Module):
    """The generator (Sec. 3.1): ``condition`` of any size to a picture of the same size, with the style's posterior."""

    def __init__(self, config: CcfpseConfig) -> None:
        super().__init__()
        self.config = config
        self.pyramid = LayoutPyramid(config.layout_channels, config.width, num_levels=config.num_upsamplings + 1)
        self.decoder = ModulatedDecoder(config.width, config.num_upsamplings, config.out_channels, self._block)
        self.size_multiple = self.decoder.size_multiple
        channels = self.decoder.start_channels
        self.start = (
            StyleStart(channels, self.decoder.start_size(config.size), ImageEncoder(config.width, config.size[1]))
            if config.style
            else LayoutStart(config.layout_channels, channels)
        )

    def _block(self, number: int, in_channels: int, out_channels: int) -> ConditionalBlock:
        config = self.config
        return ConditionalBlock(in_channels, out_channels, config.layout_channels + config.width, config.hidden)

    def forward(self, condition: Condition) -> Translation:
        config, padded = self.config, condition.padded(self.size_multiple)
        layout = Layout.of(padded, config.num_labels, config.image_channels, config.instance_edges)
        layout = replace(layout, features=self.pyramid(layout.planes))
        return Translation(*self.decoder.grow(self.start, condition, layout))


class LayoutPyramid(nn.Module):
    """Features of the layout at all sizes, each of which has seen more than its place (Sec. 3.1).

    Args:
        layout_channels: of ``Layout.planes``.
        width: channels of all features.
        num_levels: sizes, each half of the one before.
    """

    def __init__(self, layout_channels: int, width: int, num_levels: int) -> None:
        super().__init__()
        first = spectral_layer(layout_channels, width, 3, BatchNorm)
        rest = (spectral_layer(width, width, 3, BatchNorm, stride=2) for _ in range(num_levels - 1))
        self.down = nn.ModuleList([first, *rest])
        self.lateral = nn.ModuleList(spectral_layer(width, width, 1, BatchNorm) for _ in range(num_levels - 1))
        self.up = nn.ModuleList(spectral_layer(width, width, 3, BatchNorm) for _ in range(num_levels - 1))

    def forward(self, planes: Tensor) -> tuple[Tensor, ...]:
        """B layout_channels H W to B width h w of every size, coarse to fine; H and W multiples of 2^(levels - 1)."""
        features, x = [], planes
        for layer in self.down:
            x = layer(x)
            features.append(x)
        levels = [features.pop()]
        for lateral, up, feature in zip(self.lateral, self.up, reversed(features), strict=True):
            levels.append(up(F.interpolate(levels[-1], scale_factor=2.0) + lateral(feature)))
        return tuple(levels)


class ConditionalBlock(nn.Module):
    """Two conditional convolutions of normalised features, beside a shortcut.

    Args:
        in_channels, out_channels: where they differ, the shortcut is SPADE's, a modulation and a 1 x 1 convolution.
        layout_channels: of ``Layout.planes`` with the pyramid's features.
        hidden: channels between the convolutions that read them.
    """

    def __init__(self, in_channels: int, out_channels: int, layout_channels: int, hidden: int) -> None:
        super().__init__()
        between = min(in_channels, out_channels)
        self.norm_0, self.norm_1 = BatchNorm(in_channels), BatchNorm(between)
        self.conv_0 = ConditionalConv2d(in_channels, between, layout_channels, hidden)
        self.conv_1 = ConditionalConv2d(between, out_channels, layout_channels, hidden)
        self.norm_s = self.conv_s = None
        if in_channels != out_channels:
            self.norm_s = SpatialModulation(in_channels, layout_channels, hidden=hidden)
            self.conv_s = SpectralConv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B in_channels h w to B out_channels h w; the layout has any size, and features of this one."""
        layout = layout.at((x.shape[2], x.shape[3]))
        change = F.leaky_relu(self.conv_0(self.norm_0(x), layout), 0.2)
        change = F.leaky_relu(self.conv_1(self.norm_1(change), layout), 0.2)
        shortcut = x if self.norm_s is None or self.conv_s is None else self.conv_s(self.norm_s(x, layout))
        return shortcut + change


class ConditionalConv2d(nn.Module):
    """A depthwise convolution whose kernels the layout says, a 1 x 1 convolution which is the same everywhere, and a
    gate that the layout says too (Sec. 3.1, "conditional convolution" and "conditional attention").

    Args:
        in_channels, out_channels: of the features.
        layout_channels: of the layout's planes.
        hidden: channels between the convolutions that read them.
    """

    def __init__(self, in_channels: int, out_channels: int, layout_channels: int, hidden: int) -> None:
        super().__init__()
        self.kernels = _prediction(layout_channels, hidden, in_channels * _NUM_TAPS)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)
        self.gates = _prediction(layout_channels, hidden, out_channels)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B in_channels h w, and the layout at h w, to B out_channels h w."""
        features = self.pointwise(convolve_by_place(x, self.kernels(layout)))
        return features * torch.sigmoid(self.gates(layout))  # type: ignore[no-any-return]


def convolve_by_place(x: Tensor, kernels: Tensor) -> Tensor:
    """Depthwise convolution with another kernel at every place; beyond the border there are zeros.

    Args:
        x: B C h w.
        kernels: B 9C h w; tap k of channel c, row by row, is channel 9c + k.

    Returns:
        B C h w.
    """
    height, width = x.shape[-2:]
    padded = F.pad(x, [KERNEL_SIZE // 2] * 4)
    taps = kernels.unflatten(1, (-1, _NUM_TAPS)).unbind(dim=2)
    total = torch.zeros_like(x)
    # Shifted views, one after the other: an unfolded copy would take nine times the memory of x.
    for place, tap in enumerate(taps):
        row, column = divmod(place, KERNEL_SIZE)
        total = torch.addcmul(total, padded[:, :, row : row + height, column : column + width], tap)
    return total


def _prediction(layout_channels: int, hidden: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        LayoutConv2d(layout_channels, hidden, 3),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, out_channels, 3, padding=1),
    )


_SOURCE = "https://github.com/xh-liu/CC-FPSE"
_LICENCE = "as stated by the authors of the weights; not distributed with pixelwise"


def _published(num_labels: int, size: tuple[int, int] = (256, 256), **fields: int | bool) -> Published:
    # Without a style, a published generator would have 9 to 15 million parameters less than the papers count.
    config = CcfpseConfig(num_labels=num_labels, out_channels=3, style=True, size=size, **fields)  # type: ignore[arg-type]
    return Published(config, size, _SOURCE, _LICENCE)


PUBLISHED = {
    "ade20k": _published(151),
    "coco_stuff": _published(183, instance_edges=True),
    "cityscapes": _published(35, (256, 512), instance_edges=True, num_upsamplings=6),
}

_UNUSED = ("norm_0", "norm_layer")
"""Norms in published files that no computation ever used."""

_PYRAMID: Renames = [
    (f"{published}{level}.0", f"pyramid.{ours}.{level - 1}")
    for published, ours in (("labelenc", "down"), ("labellat", "lateral"), ("labeldec", "up"))
    for level in range(1, 8)
]

_CONDITIONAL: Renames = [
    ("norm_1", "norm_0"),
    ("norm_2", "norm_1"),
    ("conv_1", "conv_0.pointwise"),
    ("conv_3", "conv_1.pointwise"),
    *((f"gen_weights{number}", f"conv_{number - 1}.kernels") for number in (1, 2)),
    *((f"gen_se_weights{number}", f"conv_{number - 1}.gates") for number in (1, 2)),
]


def adopt(state_dict: StateDict, config: CcfpseConfig) -> StateDict:
    """Published names to ours, without the norms that were never used; a generator with its encoder comes as one, under
    the prefixes netG. and netE."""
    used = {name: tensor for name, tensor in state_dict.items() if not set(_UNUSED) & set(name.split("."))}
    return renamed(used, _names(config))


def as_published(state_dict: StateDict, config: CcfpseConfig) -> StateDict:
    """The way back."""
    return renamed_back(state_dict, _names(config))


def _names(config: CcfpseConfig) -> Renames:
    first = ("fc", "start.linear" if config.style else "start.convolution")
    return [*ENCODER, *_PYRAMID, *_CONDITIONAL, *DECODER, *SPATIAL_MODULATION, first]


FAMILY = Family(
    name="ccfpse",
    paper="Liu et al., Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis, "
    "NeurIPS 2019",
    config=CcfpseConfig,
    generator=Ccfpse,
    # The paper's 20, over the four features of its discriminator: here it is over its three scales.
    objective=Objective(adversarial="hinge", feature_matching=15.0, perceptual=10.0, kl=0.05),
    discriminator=FeaturePyramidConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    reads_style=lambda config: config.style,
    styling=styling_of_start,
)
