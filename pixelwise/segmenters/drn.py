"""DRN-D: Yu, Koltun, Funkhouser, "Dilated Residual Networks", CVPR 2017, Sec. 2 and 4.

A residual network that makes pictures eight times smaller and no more, and dilates its convolutions instead (Sec. 2).
Dilation leaves a grid, which Sec. 4 removes: no pooling at the beginning, and at the end two levels without shortcuts,
whose dilation falls. D, the variant whose weights are published, begins with plain convolutions. Those who make streets
of label maps are judged by D-105.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.data.cityscapes import TRAIN_LABELS
from pixelwise.device import find_device
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.layers.published_names import Renames, renamed
from pixelwise.segmenters.segmenter import InputScale, Segmenter, check_classes, differing_class
from pixelwise.state_dict import load_strictly, read_state_dict, unwrapped

STRIDE = 8
_EXPANSION = 4
"""A bottleneck puts out so many times the channels of its 3 x 3 convolution."""

CITYSCAPES_INPUT = InputScale(
    mean=(0.29010095242892997, 0.32808144844279574, 0.28696394422942517),
    std=(0.1829540508368939, 0.18656561047509476, 0.18447508988480435),
)
"""Of that set's photos, as published beside the weights."""


@dataclass(frozen=True)
class DrnConfig:
    """What makes the networks differ.

    Attributes:
        blocks: residual blocks of the four levels that have such, the finest first.
        bottleneck: whether a block is 1 x 1, 3 x 3, 1 x 1, or else two of 3 x 3.
    """

    blocks: tuple[int, int, int, int]
    bottleneck: bool = False


DRNS: Mapping[str, DrnConfig] = {
    "drn_d_22": DrnConfig((2, 2, 2, 2)),
    "drn_d_38": DrnConfig((3, 4, 6, 3)),
    "drn_d_105": DrnConfig((3, 4, 23, 3), bottleneck=True),
}


class Drn(nn.Module):
    """The network with a 1 x 1 convolution to scores of classes at the end."""

    def __init__(self, config: DrnConfig, num_classes: int) -> None:
        super().__init__()
        levels = [_convolution(3, 16, kernel_size=7), _convolution(16, 16), _convolution(16, 32, stride=2)]
        channels = 32
        for blocks, width, stride, dilation in zip(
            config.blocks, (64, 128, 256, 512), (2, 2, 1, 1), (1, 1, 2, 4), strict=True
        ):
            levels.append(_residual_level(config, channels, width, blocks, stride, dilation))
            channels = width * (_EXPANSION if config.bottleneck else 1)
        levels += [_convolution(channels, 512, dilation=2), _convolution(512, 512)]
        self.levels = nn.Sequential(*levels)
        self.to_classes = nn.Conv2d(512, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """B 3 H W of any size, in the numbers that it was trained on, to scores B num_classes H W."""
        scores = self.to_classes(self.levels(x))
        enlarged = F.interpolate(scores, scale_factor=STRIDE, mode="bilinear")
        return enlarged[..., : x.shape[-2], : x.shape[-1]]


class ResidualBlock(nn.Module):
    """``body`` beside a shortcut, which changes size and channels where the body does; then ReLU."""

    def __init__(self, body: nn.Sequential, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.body = body
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.shortcut(x))


def _residual_level(
    config: DrnConfig, in_channels: int, width: int, num_blocks: int, stride: int, dilation: int
) -> nn.Sequential:
    out_channels = width * (_EXPANSION if config.bottleneck else 1)
    blocks = []
    for block in range(num_blocks):
        before, step = (out_channels, 1) if block else (in_channels, stride)
        if config.bottleneck:
            body = [
                *_convolution(before, width, kernel_size=1),
                *_convolution(width, width, stride=step, dilation=dilation),
                *_convolution(width, out_channels, kernel_size=1),
            ]
        else:
            body = [
                *_convolution(before, width, stride=step, dilation=dilation),
                *_convolution(width, width, dilation=dilation),
            ]
        # The last ReLU comes after the sum.
        blocks.append(ResidualBlock(nn.Sequential(*body[:-1]), before, out_channels, step))
    return nn.Sequential(*blocks)


def _convolution(
    in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    padding = dilation * (kernel_size // 2)
    convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


def drn_segmenter(
    path: Path, spec: LabelSpec = TRAIN_LABELS, device: torch.device | str = "auto", inputs: InputScale | None = None
) -> Segmenter:
    """A DRN-D with published weights.

    Args:
        path: ``.pth`` as published, such as ``drn_d_22_cityscapes.pth``; which network it is, the names in it tell.
        spec: the classes of the label maps, as many as it must tell apart. Of 19 that are not called as those of
            Cityscapes the segmenter remarks so, since the file names none.
        device: where it runs.
        inputs: the numbers that it reads; None for those of ``CITYSCAPES_INPUT``.

    Raises:
        InputError: see ``read_state_dict`` and ``adopt_drn``; or another number of classes.
    """
    weights = read_state_dict(path)
    try:
        name, network = adopt_drn(weights)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    num_classes = network.to_classes.out_channels
    check_classes(path, num_classes, spec)
    device, scale = find_device(device), inputs or CITYSCAPES_INPUT
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def find(pictures: Tensor) -> Tensor:
        scores: Tensor = network(scale.of(pictures.to(device)))
        return scores.argmax(dim=1).to(pictures.device)

    return Segmenter(f"{name} ({path.name})", num_classes, find, sha256_of(path), remark=_remark(spec))


def _remark(spec: LabelSpec) -> str:
    """Published weights name no classes: so many as Cityscapes has may be these, or others."""
    if spec.num_classes != TRAIN_LABELS.num_classes:
        return ""
    difference = differing_class(TRAIN_LABELS.names, spec.names)
    return f"if it has learned Cityscapes' classes, {difference}" if difference else ""


_NAMES: Renames = [
    ("base", "levels"),
    ("seg", "to_classes"),
    *((f"conv{number + 1}", f"body.{3 * number}") for number in range(3)),
    *((f"bn{number + 1}", f"body.{3 * number + 1}") for number in range(3)),
    ("downsample", "shortcut"),
]


def adopt_drn(published: Mapping[str, Tensor]) -> tuple[str, Drn]:
    """The network, in eval mode, whose published weights these are, and its name in ``DRNS``.

    Args:
        published: names such as ``base.0.0.weight`` and ``seg.weight``, all perhaps behind ``module.``.

    Raises:
        InputError: no network of ``DRNS``, missing or further names, other shapes, or an ``up.weight`` that enlarges
            otherwise than bilinearly.
    """
    weights = unwrapped(published)
    name = _name_of(weights)
    if "seg.weight" not in weights:
        raise InputError("has no seg.weight: a network that names whole photos, not one that finds classes in them")
    network = Drn(DRNS[name], num_classes=len(weights["seg.weight"]))
    _check_enlarging(weights.pop("up.weight", None))
    # Older versions of torch did not count batches.
    counters = {key: value for key, value in network.state_dict().items() if key.endswith("num_batches_tracked")}
    load_strictly(network, {**counters, **renamed(weights, _NAMES)})
    return name, network.eval()


def _name_of(weights: Mapping[str, Tensor]) -> str:
    found = {match.groups() for key in weights if (match := re.match(r"base\.([3-6])\.(\d+)\.", key))}
    blocks = tuple(sum(level == wanted for level, _ in found) for wanted in "3456")
    for name, config in DRNS.items():
        if blocks == config.blocks and config.bottleneck == any(".conv3." in key for key in weights):
            return name
    raise InputError(f"none of {', '.join(DRNS)}: its levels base.3 to base.6 have {blocks} residual blocks")


def _check_enlarging(weight: Tensor | None) -> None:
    """Published networks enlarge by a transposed convolution that does not learn; ``Drn`` interpolates in its place.

    Near the picture's border the two differ, by a factor that all classes share.
    """
    if weight is None:
        return
    profile = 1 - (torch.arange(2 * STRIDE) - (STRIDE - 0.5)).abs() / STRIDE
    if weight.shape[1:] != (1, 2 * STRIDE, 2 * STRIDE) or not torch.allclose(weight.float(), profile.outer(profile)):
        raise InputError(f"up.weight, {tuple(weight.shape)}, does not interpolate bilinearly between scores")
