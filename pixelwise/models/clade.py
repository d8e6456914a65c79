"""CLADE and CLADE-ICPE: Tan, Chen, Chu, Chai, Liao, He, Yuan, Hua, Yu, "Efficient Semantic Image Synthesis via
Class-Adaptive Normalization", TPAMI 2021.

What SPADE's convolutions make of a label map hardly varies within a region. So the generator of SPADE takes scale and
shift from a table with one row for each class (Sec. 3.2), at next to no cost. CLADE-ICPE lets them vary with the place
within the object (Sec. 3.4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.layers.encoder import ImageEncoder
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulated import NUM_UPSAMPLINGS, ModulatedBlock, ModulatedDecoder
from pixelwise.layers.modulation import NORMS, ClassModulation, Modulation, SpatialModulation
from pixelwise.layers.position import centre_offsets
from pixelwise.layers.published_names import (
    CLASS_MODULATION,
    DECODER,
    ENCODER,
    SPATIAL_MODULATION,
    Renames,
    renamed,
    renamed_back,
)
from pixelwise.layers.start import LayoutStart, StyleStart
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least, styling_of_start


@dataclass(frozen=True)
class CladeConfig:
    """The published options, and the variants of the paper's ablations.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: 0: pictures have no classes.
        out_channels: channels of the output.
        width: "ngf".
        num_upsamplings: 5, 6 or 7: "normal", "more" or "most".
        norm: "batch" or "instance".
        num_spatial_blocks: of the blocks, seen from the lowest resolution, so many are SPADE's (Sec. 4.8): 0 is the
            paper's C(1-7), 7 is S(1-7).
        hidden: channels between the convolutions of those.
        offsets_modulate: CLADE-ICPE ("+distp" of Sec. 4.9).
        offsets_in_features, offsets_in_input: the other ways of reading the offsets ("+distf" and "+disti").
        without_offsets: the class whose pixels have none: the published preprocessing leaves out id 0 of its files.
        style: grows the picture from a style instead of the label map.
        size: (height, width) that a model with a style was built for.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_upsamplings: int = 5
    norm: str = "batch"
    num_spatial_blocks: int = 0
    hidden: int = 128
    offsets_modulate: bool = False
    offsets_in_features: bool = False
    offsets_in_input: bool = False
    without_offsets: int = 0
    style: bool = False
    size: tuple[int, int] = (256, 256)

    def __post_init__(self) -> None:
        check_least("clade", self, 1, "width", "hidden")
        if self.norm not in NORMS or self.num_upsamplings not in NUM_UPSAMPLINGS:
            raise InputError(
                f"clade: norm must be one of {tuple(NORMS)}, num_upsamplings of {NUM_UPSAMPLINGS}, "
                f"got {self.norm!r} and {self.num_upsamplings}"
            )
        if self.image_channels:
            raise InputError(f"clade reads label maps, not pictures of {self.image_channels} channels")

    @property
    def layout_channels(self) -> int:
        return self.num_labels + self.instance_edges

    @property
    def offsets(self) -> bool:
        return self.offsets_modulate or self.offsets_in_features or self.offsets_in_input


class Clade(nn.Module):
    """The generator (Fig. 7): ``condition`` of any size to a picture of the same size, with the style's posterior."""

    def __init__(self, config: CladeConfig) -> None:
        super().__init__()
        self.config = config
        self.decoder = ModulatedDecoder(config.width, config.num_upsamplings, config.out_channels, self._block)
        self.size_multiple = self.decoder.size_multiple
        channels = self.decoder.start_channels
        self.start = (
            StyleStart(channels, self.decoder.start_size(config.size), ImageEncoder(config.width, config.size[1]))
            if config.style
            else LayoutStart(config.layout_channels, channels, config.offsets_in_input)
        )

    def _block(self, number: int, in_channels: int, out_channels: int) -> ModulatedBlock:
        spatial = number < self.config.num_spatial_blocks
        return ModulatedBlock(in_channels, out_channels, self._spatial if spatial else self._by_class)

    def _spatial(self, channels: int) -> Modulation:
        config = self.config
        return SpatialModulation(channels, config.layout_channels, config.norm, hidden=config.hidden)

    def _by_class(self, channels: int) -> Modulation:
        config = self.config
        return ClassModulation(
            channels,
            config.num_labels,
            config.norm,
            config.instance_edges,
            config.offsets_modulate,
            config.offsets_in_features,
        )

    def forward(self, condition: Condition) -> Translation:
        layout = self._layout(condition, condition.padded(self.size_multiple))
        return Translation(*self.decoder.grow(self.start, condition, layout))

    def _layout(self, condition: Condition, padded: Condition) -> Layout:
        config = self.config
        layout = Layout.of(padded, config.num_labels, config.image_channels, config.instance_edges)
        if not config.offsets or condition.labels is None:
            return layout
        # Of the condition as it is: padding would move the centres of objects at the border.
        offsets = centre_offsets(condition.labels, config.without_offsets)
        bottom, right = (whole - part for whole, part in zip(padded.size, condition.size, strict=True))
        return replace(layout, offsets=F.pad(offsets, (0, right, 0, bottom), mode="replicate"))


_SOURCE = "https://github.com/tzt101/CLADE"
_LICENCE = "as stated by the authors of the weights; not distributed with pixelwise"


def _published(num_labels: int, size: tuple[int, int] = (256, 256), **fields: int | bool) -> Published:
    config = CladeConfig(num_labels=num_labels, out_channels=3, size=size, **fields)  # type: ignore[arg-type]
    return Published(config, size, _SOURCE, _LICENCE)


def _with_offsets(plain: Published) -> Published:
    return replace(plain, config=replace(plain.config, offsets_modulate=True))  # type: ignore[type-var]


_PLAIN = {
    "ade20k": _published(151),
    "coco_stuff": _published(183, instance_edges=True),
    "cityscapes": _published(35, (256, 512), instance_edges=True, num_upsamplings=6),
}

PUBLISHED = {**_PLAIN, **{f"{name}_icpe": _with_offsets(plain) for name, plain in _PLAIN.items()}}


def adopt(state_dict: StateDict, config: CladeConfig) -> StateDict:
    """Published names to ours; a generator with its encoder comes as one, under the prefixes netG. and netE."""
    return renamed(state_dict, _names(config))


def as_published(state_dict: StateDict, config: CladeConfig) -> StateDict:
    """The way back."""
    return renamed_back(state_dict, _names(config))


def _names(config: CladeConfig) -> Renames:
    first = ("fc", "start.linear" if config.style else "start.convolution")
    return [*ENCODER, *DECODER, *CLASS_MODULATION, *SPATIAL_MODULATION, first]


FAMILY = Family(
    name="clade",
    paper="Tan et al., Efficient Semantic Image Synthesis via Class-Adaptive Normalization, TPAMI 2021",
    config=CladeConfig,
    generator=Clade,
    objective=Objective(adversarial="hinge", feature_matching=10.0, perceptual=10.0, kl=0.05),
    discriminator=PatchDiscriminatorConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    reads_style=lambda config: config.style,
    styling=styling_of_start,
)
