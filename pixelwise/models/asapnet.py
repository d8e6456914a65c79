"""ASAP-Net: Rott Shaham, Gharbi, Zhang, Shechtman, Michaeli, "Spatially-Adaptive Pixelwise Networks for Fast Image
Translation", CVPR 2021.

A convolutional network looks at a small copy of the input and predicts, for every cell of S x S pixels, the weights of
a tiny MLP; the MLP then turns each full-resolution pixel of the cell, with a code of its position, into a colour
(Fig. 3). All that is expensive happens once per cell, all that is sharp happens once per pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.labels import instance_edges
from pixelwise.layers.semantics import semantic_planes
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation
from pixelwise.render import Guide, PixelMlp, PixelwiseField, render
from pixelwise.render.field import code_periods, num_code_channels

NORMS: Mapping[str, Callable[[int], nn.Module]] = {
    "instance": lambda width: nn.InstanceNorm2d(width, affine=True),
    "batch": nn.BatchNorm2d,
    "none": lambda width: nn.Identity(),
}
PADDINGS = ("zeros", "reflect", "replicate")


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
        scaled_parameters: predicted weights are divided by the square root of their layer's inputs, and those of the
            pixel code's waves by their frequency. It evens out learning rates: early training neither saturates nor
            begins with the noise of the shortest waves.
    """

    num_labels: int = 0
    instance_edges: bool = False
    edges_in_mlp: bool = False
    image_channels: int = 0
    out_channels: int = 0
    cell: int = 16
    learned_reduction: int = 16
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
    scaled_parameters: bool = False

    def __post_init__(self) -> None:
        counts = ("cell", "learned_reduction", "width", "max_width", "num_blocks", "mlp_width", "mlp_depth")
        least = {"num_labels": 0, "image_channels": 0, "out_channels": 0, **dict.fromkeys(counts, 1)}
        if wrong := [name for name, bound in least.items() if getattr(self, name) < bound]:
            raise InputError(f"asapnet: {wrong[0]} must be at least {least[wrong[0]]}, got {getattr(self, wrong[0])}")
        if self.norm not in NORMS or self.padding not in PADDINGS:
            raise InputError(
                f"asapnet: norm must be one of {tuple(NORMS)}, padding one of {PADDINGS}, "
                f"got {self.norm!r} and {self.padding!r}"
            )
        stride, rest = divmod(self.cell, self.strided_reduction)
        if self.strided_reduction & (self.strided_reduction - 1) or rest or (stride > 1 and stride % 2):
            raise InputError(
                f"asapnet: learned_reduction must be a power of two, and cell the same or an even multiple of it, "
                f"got {self.learned_reduction} and {self.cell}"
            )
        if self.neighbourhood < 1 or self.neighbourhood % 2 == 0:
            raise InputError(f"asapnet: neighbourhood must be odd and positive, got {self.neighbourhood}")
        if self.residual and self.image_channels != self.out_channels:
            raise InputError(
                f"asapnet: a residual output needs as many output channels ({self.out_channels}) "
                f"as image channels ({self.image_channels})"
            )

    @property
    def strided_reduction(self) -> int:
        return min(self.cell, self.learned_reduction)

    @property
    def stream_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges

    @property
    def mlp(self) -> PixelMlp:
        edges = self.instance_edges and self.edges_in_mlp
        inputs = (self.num_labels + self.image_channels + edges) * self.neighbourhood**2
        inputs += num_code_channels(self.cell) if self.pixel_code else 0
        return PixelMlp((inputs, *[self.mlp_width] * (self.mlp_depth - 1), self.out_channels), tanh=self.tanh)


class TentReduction(nn.Module):
    """Reduction by the factor S1 with a tent-shaped filter ("bilinear downsampling", Sec. 3.2).

    B C H W to B C H/S1 W/S1.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride
        rising = torch.arange(1, 2 * stride, 2, dtype=torch.float32)
        taps = torch.cat([rising, rising.flip(0)])
        self.register_buffer("taps", taps / taps.sum(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return x
        channels, taps = x.shape[1], self.get_buffer("taps")
        x = F.pad(x, (self.stride // 2,) * 4, mode="reflect")
        x = F.conv2d(x, taps.expand(channels, 1, 1, -1), stride=(1, self.stride), groups=channels)
        return F.conv2d(x, taps[:, None].expand(channels, 1, -1, 1), stride=(self.stride, 1), groups=channels)


class ConvolutionBlock(nn.Sequential):
    """3 x 3 convolution, norm, ReLU. The bias is the norm's."""

    def __init__(self, inputs: int, outputs: int, config: AsapNetConfig, stride: int = 1) -> None:
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


class LowResolutionStream(nn.Module):
    """G of Eq. 2: the input's planes B C H W to parameters B P H/S W/S."""

    def __init__(self, config: AsapNetConfig) -> None:
        super().__init__()
        num_strided = config.strided_reduction.bit_length() - 1
        widths = [config.width] * num_strided + [config.max_width]
        self.reduction = TentReduction(config.cell // config.strided_reduction)
        self.front = ConvolutionBlock(config.stream_channels, widths[0], config)
        self.strided = nn.Sequential(*[ConvolutionBlock(a, b, config, stride=2) for a, b in pairwise(widths)])
        blocks = [ConvolutionBlock(config.max_width, config.max_width, config) for _ in range(config.num_blocks)]
        self.blocks = nn.Sequential(*blocks)
        self.to_parameters = nn.Conv2d(config.max_width, config.mlp.num_parameters, 1)

    def forward(self, planes: Tensor) -> Tensor:
        x = self.front(self.reduction(planes))
        parameters: Tensor = self.to_parameters(self.blocks(self.strided(x)))
        return parameters


class ConstantParameters(nn.Module):
    """The same learned parameters everywhere: the ablation of Fig. 9c, a stack of 1 x 1 convolutions."""

    def __init__(self, config: AsapNetConfig) -> None:
        super().__init__()
        self.cell = config.cell
        self.bias = nn.Parameter(torch.zeros(config.mlp.num_parameters))

    def forward(self, planes: Tensor) -> Tensor:
        batch, _, height, width = planes.shape
        return self.bias[:, None, None].expand(batch, -1, height // self.cell, width // self.cell)


class AsapNet(nn.Module):
    """The generator (Fig. 3): ``condition`` of any size to a picture of the same size, with the field that made it."""

    def __init__(self, config: AsapNetConfig) -> None:
        super().__init__()
        self.config = config
        self.size_multiple = config.cell
        self.stream = ConstantParameters(config) if config.constant_mlp else LowResolutionStream(config)
        scale = _parameter_scale(config) if config.scaled_parameters else torch.ones(config.mlp.num_parameters)
        self.register_buffer("parameter_scale", scale[:, None, None], persistent=False)
        _start_from_one_sound_mlp(self.stream, config)

    def forward(self, condition: Condition) -> Translation:
        field = self.field(condition)
        image = render(field, self.guide(condition))
        if self.config.residual and condition.image is not None:
            image = image + condition.image
        return Translation(image, field=field)

    def field(self, condition: Condition) -> PixelwiseField:
        """The low-resolution stream alone. Its cells cover the condition, the last row and column perhaps in part."""
        # Two cells at least: over a single one, instance norm would leave nothing but its shift.
        config = self.config
        padded = condition.padded(config.cell, minimum=2 * config.cell)
        planes = semantic_planes(padded, config.num_labels, config.image_channels, config.instance_edges)
        parameters = self.stream(planes) * self.get_buffer("parameter_scale")
        return PixelwiseField(parameters, config.mlp, config.cell, config.bilinear, config.pixel_code)

    def guide(self, condition: Condition) -> Guide:
        """What the MLPs read at full resolution."""
        config = self.config
        pictures = [condition.image] if config.image_channels and condition.image is not None else []
        if config.instance_edges and config.edges_in_mlp and condition.instances is not None:
            pictures.append(instance_edges(condition.instances))
        labels = condition.labels if config.num_labels else None
        return Guide(labels, config.num_labels, torch.cat(pictures, dim=1) if pictures else None, config.neighbourhood)


def _parameter_scale(config: AsapNetConfig) -> Tensor:
    scale = torch.ones(config.mlp.num_parameters)
    for index, (_, weight) in enumerate(config.mlp.layers(scale)):
        weight /= weight.shape[0] ** 0.5
        if index == 0 and config.pixel_code:
            # Amplitudes of natural images fall with frequency too.
            relative = torch.tensor(code_periods(config.cell)).repeat_interleave(4) / config.cell
            weight[len(weight) - len(relative) :] *= relative[:, None]
    return scale


@torch.no_grad()
def _start_from_one_sound_mlp(stream: LowResolutionStream | ConstantParameters, config: AsapNetConfig) -> None:
    """Puts one well-scaled MLP into the bias of the predicted parameters, so that all cells start from it.

    Otherwise the first MLPs are products of small random numbers, and what they pass back to the stream is nearly zero.
    """
    bias = stream.bias if isinstance(stream, ConstantParameters) else stream.to_parameters.bias
    assert bias is not None
    bias.zero_()
    for _, weight in config.mlp.layers(bias):
        fan_in = 1 if config.scaled_parameters else weight.shape[0]
        weight.normal_(std=(2 / fan_in) ** 0.5)


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
    blocks = {_block(their): _block(our) for their, our in zip(theirs, ours, strict=True)}

    def renamed(name: str) -> str:
        block = next((block for block in blocks if name.startswith(f"{block}.")), None)
        return name if block is None else blocks[block] + name.removeprefix(block)

    return {renamed(name): tensor for name, tensor in state_dict.items()}


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
    published=PUBLISHED,
    adopt=adopt,
)
