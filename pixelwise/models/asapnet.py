"""ASAP-Net: Rott Shaham, Gharbi, Zhang, Shechtman, Michaeli, "Spatially-Adaptive Pixelwise Networks for Fast Image
Translation", CVPR 2021.

A convolutional network looks at a small copy of the input and predicts, for every cell of S x S pixels, the weights of
a tiny MLP; the MLP then turns each full-resolution pixel of the cell, with a code of its position, into a colour
(Fig. 3). All that is expensive happens once per cell, all that is sharp happens once per pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.labels import instance_edges
from pixelwise.layers.published_names import Renames, renamed, renamed_back
from pixelwise.layers.semantics import FindEdges, other_planes, semantic_planes
from pixelwise.losses.objective import Objective
from pixelwise.lowres.reference import NORMS, PADDINGS, ConstantParameters, LowResolutionStream, StreamConfig
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least
from pixelwise.render import Guide, PixelMlp, PixelwiseField, render
from pixelwise.render.field import code_periods, num_code_channels


@dataclass(frozen=True)
class AsapNetConfig:
    """The paper's options, then the extensions, which are off by default.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels.
        instance_edges: whether the borders of the instance map are an input.
        edges_in_mlp: whether the MLPs read them too, or only the low-resolution stream.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        cell: S, pixels on a cell's side.
        learned_reduction: S2, the part of S done by strided convolutions, a power of two; the rest, S1 = S / S2, is
            done by a tent filter. A cell smaller than S2 is reduced by convolutions alone.
        unshuffle: the stream reads blocks of so many pixels a side as channels of one (Shi et al., CVPR 2016), before
            all other reduction: of noise a tent filter would leave nothing to judge it by. 1 to leave pixels alone; for
            pictures, not for labels.
        width, max_width: channels of the stream's first convolutions and of its blocks.
        num_blocks: convolutions at the cells' resolution.
        mlp_width, mlp_depth: hidden units and layers of the MLPs.
        padding: "zeros", "reflect" or "replicate". Zeros mark the border of the image; with the others a condition
            that is the same everywhere leaves instance norm without variance, and its gradients may explode.
        norm: "instance" (affine), "batch" or "none".
        pixel_code: whether the MLPs read the position's code (ablation of Fig. 9b).
        constant_mlp: one learned MLP for all cells and inputs in place of the stream (ablation of Fig. 9c).
        tanh: whether the output passes through tanh.
        bilinear: interpolates parameters between cells, which removes visible cell borders for four times the
            arithmetic of the MLPs.
        neighbourhood: k, odd: the MLPs read k x k pixels, for tasks such as denoising which need more than one.
        residual: the output is added to the input picture, which must have as many channels.
        passes: how many fields the stream predicts. The MLPs of each read the picture that those of the one before made
            in place of the input's, which must have as many channels: so a pixel comes to know of others further away
            than the neighbourhood. 1 is the paper's.
        scaled_parameters: predicted weights are divided by the square root of their layer's inputs, and those of the
            pixel code's waves by their frequency. It evens out learning rates: early training neither saturates nor
            begins with the noise of the shortest waves.
        separable_blocks: each block's convolution as a depthwise and a 1 x 1 one, for a ninth of the arithmetic.
    """

    num_labels: int = 0
    instance_edges: bool = False
    edges_in_mlp: bool = False
    image_channels: int = 0
    out_channels: int = 0
    cell: int = 16
    learned_reduction: int = 16
    unshuffle: int = 1
    width: int = 64
    max_width: int = 1024
    num_blocks: int = 7
    mlp_width: int = 64
    mlp_depth: int = 5
    padding: str = "zeros"
    norm: str = "instance"
    pixel_code: bool = True
    constant_mlp: bool = False
    tanh: bool = True
    bilinear: bool = False
    neighbourhood: int = 1
    residual: bool = False
    passes: int = 1
    scaled_parameters: bool = False
    separable_blocks: bool = False

    def __post_init__(self) -> None:
        sizes = ("cell", "learned_reduction", "unshuffle", "width", "max_width", "num_blocks", "mlp_width", "mlp_depth")
        check_least("asapnet", self, 0, "num_labels", "image_channels", "out_channels")
        check_least("asapnet", self, 1, "passes", *sizes)
        if self.norm not in NORMS or self.padding not in PADDINGS:
            raise InputError(
                f"asapnet: norm must be one of {tuple(NORMS)}, padding one of {PADDINGS}, "
                f"got {self.norm!r} and {self.padding!r}"
            )
        if self.cell % self.unshuffle or (self.unshuffle > 1 and self.num_labels):
            raise InputError(
                f"asapnet: unshuffle must divide the cell, and is not for labels, got {self.unshuffle} with a cell of "
                f"{self.cell} and {self.num_labels} labels"
            )
        stride, rest = divmod(self.cell // self.unshuffle, self.strided_reduction)
        if self.strided_reduction & (self.strided_reduction - 1) or rest or (stride > 1 and stride % 2):
            raise InputError(
                f"asapnet: learned_reduction must be a power of two, and cell the same or an even multiple of it, "
                f"got {self.learned_reduction} and {self.cell // self.unshuffle}"
            )
        if self.neighbourhood < 1 or self.neighbourhood % 2 == 0:
            raise InputError(f"asapnet: neighbourhood must be odd and positive, got {self.neighbourhood}")
        if (self.residual or self.passes > 1) and self.image_channels != self.out_channels:
            what = "a residual output needs" if self.residual else "several passes need"
            raise InputError(
                f"asapnet: {what} as many output channels ({self.out_channels}) as image channels "
                f"({self.image_channels})"
            )

    @property
    def strided_reduction(self) -> int:
        return min(self.cell // self.unshuffle, self.learned_reduction)

    @property
    def stream_channels(self) -> int:
        return (self.num_labels + self.image_channels + self.instance_edges) * self.unshuffle**2

    @property
    def stream(self) -> StreamConfig:
        return StreamConfig(
            channels=self.stream_channels,
            reduction=self.cell // self.unshuffle // self.strided_reduction,
            strided_reduction=self.strided_reduction,
            width=self.width,
            max_width=self.max_width,
            num_blocks=self.num_blocks,
            separable_blocks=self.separable_blocks,
            padding=self.padding,
            norm=self.norm,
            num_parameters=self.num_parameters,
        )

    @property
    def num_parameters(self) -> int:
        """P of a cell, of all passes."""
        return self.passes * self.mlp.num_parameters

    @property
    def mlp(self) -> PixelMlp:
        edges = self.instance_edges and self.edges_in_mlp
        inputs = (self.num_labels + self.image_channels + edges) * self.neighbourhood**2
        inputs += num_code_channels(self.cell) if self.pixel_code else 0
        return PixelMlp((inputs, *[self.mlp_width] * (self.mlp_depth - 1), self.out_channels), tanh=self.tanh)


class AsapNet(nn.Module):
    """The generator (Fig. 3): ``condition`` of any size to a picture of the same size, with the field that made it."""

    def __init__(self, config: AsapNetConfig) -> None:
        super().__init__()
        self.config = config
        self.size_multiple = config.cell
        if config.constant_mlp:
            self.stream: nn.Module = ConstantParameters(config.num_parameters, config.cell // config.unshuffle)
        else:
            self.stream = LowResolutionStream(config.stream)
        self.register_buffer("parameter_scale", _parameter_scale(config)[:, None, None], persistent=False)
        _start_from_one_sound_mlp(self.stream, config)

    def forward(self, condition: Condition) -> Translation:
        field, guide = self.field(condition), self.guide(condition)
        for number in range(self.config.passes):
            image = render(field.of_pass(number), guide)
            if self.config.residual and guide.image is not None:
                image = image + guide.image[:, : self.config.out_channels]
            guide = self.reread(guide, image)
        return Translation(image, field=field)

    def field(self, condition: Condition) -> PixelwiseField:
        """The low-resolution stream alone. Its cells cover the condition, the last row and column perhaps in part."""
        # Two cells at least: over a single one, instance norm would leave nothing but its shift.
        config = self.config
        padded = condition.padded(config.cell, minimum=2 * config.cell)
        parameters = self.stream(self.planes(padded)) * self.get_buffer("parameter_scale")
        return PixelwiseField(parameters, config.mlp, config.cell, config.bilinear, config.pixel_code)

    def planes(self, condition: Condition) -> Tensor:
        """What the stream reads of a condition of whole cells. Raises InputError as ``semantic_planes``."""
        config = self.config
        planes = semantic_planes(condition, config.num_labels, config.image_channels, config.instance_edges)
        return F.pixel_unshuffle(planes, config.unshuffle)

    def other_planes(
        self, condition: Condition, rows: slice = slice(None), find_edges: FindEdges = instance_edges
    ) -> Tensor | None:
        """What of ``planes`` follows the labels, in some rows of the condition; None when there is nothing.

        Args:
            find_edges: the same as ``labels.instance_edges``, perhaps sooner.
        """
        config = self.config
        planes = other_planes(condition, config.image_channels, config.instance_edges, find_edges)
        if planes is None:
            return None
        planes = planes[:, :, rows]
        return F.pixel_unshuffle(planes, config.unshuffle) if config.unshuffle > 1 else planes  # by 1 it would copy

    def guide(self, condition: Condition, find_edges: FindEdges = instance_edges) -> Guide:
        """What the MLPs read at full resolution; for ``find_edges`` see ``other_planes``."""
        config = self.config
        pictures = [condition.image] if config.image_channels and condition.image is not None else []
        if config.instance_edges and config.edges_in_mlp and condition.instances is not None:
            pictures.append(find_edges(condition.instances))
        labels = condition.labels if config.num_labels else None
        return Guide(labels, config.num_labels, torch.cat(pictures, dim=1) if pictures else None, config.neighbourhood)

    def reread(self, guide: Guide, image: Tensor) -> Guide:
        """What the next pass reads: ``image`` in the place of the picture in ``guide``."""
        if guide.image is None:
            return guide
        return replace(guide, image=torch.cat([image, guide.image[:, image.shape[1] :]], dim=1))


def _parameter_scale(config: AsapNetConfig) -> Tensor:
    scale = torch.ones(config.mlp.num_parameters, dtype=torch.float32)
    layers = config.mlp.layers(scale) if config.scaled_parameters else []
    for index, (_, weight) in enumerate(layers):
        weight.fill_(weight.shape[0] ** -0.5)
        if index == 0 and config.pixel_code:
            # Amplitudes of natural images fall with frequency too.
            first = len(weight) - num_code_channels(config.cell)
            for number, period in enumerate(code_periods(config.cell)):
                weight[first + 4 * number : first + 4 * number + 4] *= period / config.cell
    return scale.expand(config.passes, -1).flatten()


@torch.no_grad()
def _start_from_one_sound_mlp(stream: LowResolutionStream | ConstantParameters, config: AsapNetConfig) -> None:
    """Puts one well-scaled MLP into the bias of the predicted parameters, so that all cells start from it.

    Otherwise the first MLPs are products of small random numbers, and what they pass back to the stream is nearly zero.
    """
    bias = stream.bias if isinstance(stream, ConstantParameters) else stream.to_parameters.bias
    assert bias is not None
    bias.zero_()
    for _, weight in config.mlp.layers(bias.view(config.passes, -1)):
        fan_in = 1 if config.scaled_parameters else weight.shape[-2]
        weight.normal_(std=(2 / fan_in) ** 0.5)


CHEAPER_STREAMS: Mapping[str, Mapping[str, int | bool]] = {
    "channels512": {"max_width": 512},
    "separable": {"separable_blocks": True},
}
"""Variants of any configuration, ``replace(config, **CHEAPER_STREAMS[name])``: blocks of a quarter and of about a ninth
of the arithmetic. They are other networks, to be trained anew."""

_SOURCE = "https://github.com/tamarott/ASAPNet"
_LICENCE = "as stated by the authors of the weights; not distributed with pixelwise"


def _published(size: tuple[int, int], **fields: int | bool) -> Published:
    config = AsapNetConfig(out_channels=3, cell=size[0] // 16, **fields)  # type: ignore[arg-type]
    return Published(config, size, _SOURCE, _LICENCE)


PUBLISHED = {
    "facades512": _published((512, 512), num_labels=13),
    "facades1024": _published((1024, 1024), num_labels=13),
    "cityscapes256x512": _published((256, 512), num_labels=35, instance_edges=True),
    "cityscapes512x1024": _published((512, 1024), num_labels=35, instance_edges=True),
}


def adopt(state_dict: StateDict, config: AsapNetConfig) -> StateDict:
    """Published names to ours. Raises InputError when the number of convolutions differs.

    A published stream is one numbered sequence in which padding modules take a number too, so that the same convolution
    has another name with reflection padding: only their order tells which is which.
    """
    theirs = sorted((name for name, tensor in state_dict.items() if tensor.ndim == 4), key=_numbers_in)
    ours = [name for name, tensor in AsapNet(config).state_dict().items() if tensor.ndim == 4]
    if len(theirs) != len(ours):
        raise InputError(f"the state dict has {len(theirs)} convolutions, the configuration {len(ours)}")
    return renamed(state_dict, [(_block(their), _block(our)) for their, our in zip(theirs, ours, strict=True)])


def as_published(state_dict: StateDict, config: AsapNetConfig) -> StateDict:
    """The way back, to the numbers that the layers have with this padding."""
    return renamed_back(state_dict, _names(config))


def _names(config: AsapNetConfig) -> Renames:
    theirs, pads = "lowres_stream.model", int(config.padding != "zeros")
    layers = ["front", *(f"strided.{number}" for number in range(config.strided_reduction.bit_length() - 1))]
    # Each layer is followed by an activation, and may come after a padding.
    blocks = len(layers) * (2 + pads)
    return [
        *((f"{theirs}.{pads + (2 + pads) * number}", f"stream.{ours}") for number, ours in enumerate(layers)),
        *((f"{theirs}.{blocks + number}.conv_block.{pads}", f"stream.blocks.{number}")
          for number in range(config.num_blocks)),
        (f"{theirs}.{blocks + config.num_blocks}", "stream.to_parameters"),
    ]  # fmt: skip


def _numbers_in(name: str) -> list[int]:
    return [int(part) for part in name.split(".") if part.isdecimal()]


def _block(name: str) -> str:
    return name.removesuffix(".weight").removesuffix(".0")


FAMILY = Family(
    name="asapnet",
    paper="Rott Shaham et al., Spatially-Adaptive Pixelwise Networks for Fast Image Translation, CVPR 2021",
    config=AsapNetConfig,
    generator=AsapNet,
    objective=Objective(adversarial="hinge", feature_matching=10.0, perceptual=10.0),
    discriminator=PatchDiscriminatorConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
)
