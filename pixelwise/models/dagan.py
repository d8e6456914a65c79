"""DAGAN: Tang, Bai, Sebe, "Dual Attention GANs for Semantic Image Synthesis", ACM Multimedia 2020.

The generator of SPADE, whose last features pass two gates: of each channel, by what it holds on average, and of each
place, by what stands there (Sec. 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulated import ModulatedBlock, ModulatedDecoder
from pixelwise.layers.modulation import NORMS, Modulation, SpatialModulation
from pixelwise.layers.published_names import DECODER, SPATIAL_MODULATION, Renames, renamed, renamed_back
from pixelwise.layers.start import LayoutStart
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least

_LAST_BLOCK = 6


@dataclass(frozen=True)
class DaganConfig:
    """The published options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        width: "ngf".
        num_upsamplings: 5 or 6: "normal" or "more".
        norm: "batch" or "instance".
        hidden: channels between the convolutions that read the label map.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_upsamplings: int = 5
    norm: str = "batch"
    hidden: int = 128

    def __post_init__(self) -> None:
        check_least("dagan", self, 1, "width", "hidden")
        if self.norm not in NORMS or self.num_upsamplings not in (5, 6):
            raise InputError(
                f"dagan: norm must be one of {tuple(NORMS)}, num_upsamplings 5 or 6, "
                f"got {self.norm!r} and {self.num_upsamplings}"
            )

    @property
    def layout_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges


class Dagan(nn.Module):
    """The generator (Fig. 2): ``condition`` of any size to a picture of the same size."""

    def __init__(self, config: DaganConfig) -> None:
        super().__init__()
        self.config = config
        self.decoder = ModulatedDecoder(config.width, config.num_upsamplings, config.out_channels, self._block)
        self.size_multiple = self.decoder.size_multiple
        self.start = LayoutStart(config.layout_channels, self.decoder.start_channels)

    def _block(self, number: int, in_channels: int, out_channels: int) -> nn.Module:
        block = ModulatedBlock(in_channels, out_channels, self._modulate)
        return DualAttention(block, in_channels, out_channels) if number == _LAST_BLOCK else block

    def _modulate(self, channels: int) -> Modulation:
        config = self.config
        return SpatialModulation(channels, config.layout_channels, config.norm, hidden=config.hidden)

    def forward(self, condition: Condition) -> Translation:
        config, padded = self.config, condition.padded(self.size_multiple)
        layout = Layout.of(padded, config.num_labels, config.image_channels, config.instance_edges)
        return Translation(*self.decoder.grow(self.start, condition, layout))


class DualAttention(nn.Module):
    """A block, and the two gates on what it makes (Sec. 3); their results are added.

    A convolution of the block's input stands beside it, as in the published code: the gate of channels sees both, and
    to the result it is added.

    Args:
        block: from (features B in_channels h w, layout) to B out_channels h w.
        in_channels, out_channels: the block's.
    """

    def __init__(self, block: nn.Module, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.block = block
        self.side = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.squeeze = nn.Conv2d(2 * out_channels, out_channels, 1)
        self.excite = nn.Conv2d(out_channels, out_channels, 1)
        self.place = nn.Conv2d(2, 1, 3, padding=1, bias=False)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """From B in_channels h w to B out_channels h w."""
        side, features = self.side(x), self.block(x, layout)
        means = torch.cat([side, features], dim=1).mean(dim=(2, 3), keepdim=True)
        of_channels = torch.sigmoid(self.excite(F.relu(self.squeeze(means))))
        extent = torch.cat([features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True)], dim=1)
        of_places = torch.sigmoid(self.place(extent))
        return features * (of_channels + of_places) + side  # type: ignore[no-any-return]


_SOURCE = "https://github.com/Ha0Tang/DAGAN"
_LICENCE = "CC BY-NC-SA 4.0, as stated by the authors of the weights; not distributed with pixelwise"

PUBLISHED = {
    "ade20k": Published(DaganConfig(num_labels=151, out_channels=3), (256, 256), _SOURCE, _LICENCE),
    "cityscapes": Published(
        DaganConfig(num_labels=35, instance_edges=True, out_channels=3, num_upsamplings=6),
        (256, 512),
        _SOURCE,
        _LICENCE,
    ),
}


_LAST = f"decoder.blocks.{_LAST_BLOCK}"

_NAMES: Renames = [
    *DECODER,
    *SPATIAL_MODULATION,
    ("fc", "start.convolution"),
    (_LAST, f"{_LAST}.block"),
    ("conv_64", f"{_LAST}.side"),
    ("cab.conv1", f"{_LAST}.squeeze"),
    ("cab.conv2", f"{_LAST}.excite"),
    ("spatialAtt.conv", f"{_LAST}.place"),
]


def adopt(state_dict: StateDict, config: DaganConfig) -> StateDict:
    """Published names to ours."""
    return renamed(state_dict, _NAMES)


def as_published(state_dict: StateDict, config: DaganConfig) -> StateDict:
    """The way back."""
    return renamed_back(state_dict, _NAMES)


FAMILY = Family(
    name="dagan",
    paper="Tang et al., Dual Attention GANs for Semantic Image Synthesis, ACM Multimedia 2020",
    config=DaganConfig,
    generator=Dagan,
    objective=Objective(adversarial="hinge", feature_matching=10.0, perceptual=10.0),
    discriminator=PatchDiscriminatorConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
)
