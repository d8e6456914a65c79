"""SPADE: Park, Liu, Wang, Zhu, "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019.

Normalisation washes the label map away; so every normalisation gets it anew, and two convolutions make of it a scale
and a shift for every place (Fig. 2). The picture grows from a small copy of the label map, or from a style, which an
encoder finds in another picture (Fig. 4, 15).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.layers.encoder import ImageEncoder
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulated import NUM_UPSAMPLINGS, ModulatedBlock, ModulatedDecoder
from pixelwise.layers.modulation import NORMS, SpatialModulation
from pixelwise.layers.published_names import DECODER, ENCODER, SPATIAL_MODULATION, Renames, renamed, renamed_back
from pixelwise.layers.start import LayoutStart, StyleStart
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least, styling_of_start


@dataclass(frozen=True)
class SpadeConfig:
    """The published options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        width: "ngf"; SPADE-light has fewer than 64.
        num_upsamplings: 5, 6 or 7: "normal", "more" or "most".
        norm: "batch" or "instance".
        kernel_size: of the convolutions that read the label map, 3 or 1.
        hidden: channels between these.
        style: grows the picture from a style instead of the label map.
        size: (height, width) that a model with a style was built for, since a linear layer makes its start.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_upsamplings: int = 5
    norm: str = "batch"
    kernel_size: int = 3
    hidden: int = 128
    style: bool = False
    size: tuple[int, int] = (256, 256)

    def __post_init__(self) -> None:
        check_least("spade", self, 1, "width", "hidden")
        if self.norm not in NORMS or self.num_upsamplings not in NUM_UPSAMPLINGS:
            raise InputError(
                f"spade: norm must be one of {tuple(NORMS)}, num_upsamplings of {NUM_UPSAMPLINGS}, "
                f"got {self.norm!r} and {self.num_upsamplings}"
            )

    @property
    def layout_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges


class Spade(nn.Module):
    """The generator (Fig. 4): ``condition`` of any size to a picture of the same size, with the style's posterior."""

    def __init__(self, config: SpadeConfig) -> None:
        super().__init__()
        self.config = config
        self.decoder = ModulatedDecoder(config.width, config.num_upsamplings, config.out_channels, self._block)
        self.size_multiple = self.decoder.size_multiple
        channels = self.decoder.start_channels
        self.start = (
            StyleStart(channels, self.decoder.start_size(config.size), ImageEncoder(config.width, config.size[1]))
            if config.style
            else LayoutStart(config.layout_channels, channels)
        )

    def _block(self, number: int, in_channels: int, out_channels: int) -> ModulatedBlock:
        config = self.config
        return ModulatedBlock(
            in_channels,
            out_channels,
            lambda channels: SpatialModulation(
                channels, config.layout_channels, config.norm, config.kernel_size, config.hidden
            ),
        )

    def forward(self, condition: Condition) -> Translation:
        config, padded = self.config, condition.padded(self.size_multiple)
        layout = Layout.of(padded, config.num_labels, config.image_channels, config.instance_edges)
        return Translation(*self.decoder.grow(self.start, condition, layout))


_SOURCE = "https://github.com/NVlabs/SPADE"
_LICENCE = "CC BY-NC-SA 4.0, as stated by the authors of the weights; not distributed with pixelwise"


def _published(num_labels: int, size: tuple[int, int] = (256, 256), **fields: int | bool) -> Published:
    config = SpadeConfig(num_labels=num_labels, out_channels=3, size=size, **fields)  # type: ignore[arg-type]
    return Published(config, size, _SOURCE, _LICENCE)


PUBLISHED = {
    "ade20k": _published(151),
    "coco_stuff": _published(183, instance_edges=True),
    "cityscapes": _published(35, (256, 512), instance_edges=True, num_upsamplings=6),
}


def adopt(state_dict: StateDict, config: SpadeConfig) -> StateDict:
    """Published names to ours; a generator with its encoder comes as one, under the prefixes netG. and netE."""
    return renamed(state_dict, _names(config))


def as_published(state_dict: StateDict, config: SpadeConfig) -> StateDict:
    """The way back."""
    return renamed_back(state_dict, _names(config))


def _names(config: SpadeConfig) -> Renames:
    first = ("fc", "start.linear" if config.style else "start.convolution")
    return [*ENCODER, *DECODER, *SPATIAL_MODULATION, first]


FAMILY = Family(
    name="spade",
    paper="Park et al., Semantic Image Synthesis with Spatially-Adaptive Normalization, CVPR 2019",
    config=SpadeConfig,
    generator=Spade,
    objective=Objective(adversarial="hinge", feature_matching=10.0, perceptual=10.0, kl=0.05),
    discriminator=PatchDiscriminatorConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    reads_style=lambda config: config.style,
    styling=styling_of_start,
)
