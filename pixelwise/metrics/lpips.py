"""LPIPS: how different two pictures look, by features of a network trained on ImageNet, weighed as people judge.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, Sec. 3. Figures
depend on the network and on the version of its weighted channels, the heads; these are version 0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
import torchmetrics.functional.image
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.layers import vgg
from pixelwise.layers.imagenet import ImageNetScale, activations
from pixelwise.published_weights import PublishedWeights


def alexnet() -> nn.Sequential:
    """AlexNet in one column (Krizhevsky, "One Weird Trick …", 2014), up to its last activation, as in torchvision."""
    return nn.Sequential(
        nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, kernel_size=5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(192, 384, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
    )


def squeezenet() -> nn.Sequential:
    """SqueezeNet 1.1 (Iandola et al., 2016) up to its last Fire module, as in torchvision."""
    pool = partial(nn.MaxPool2d, 3, stride=2, ceil_mode=True)
    return nn.Sequential(
        nn.Conv2d(3, 64, kernel_size=3, stride=2),
        nn.ReLU(inplace=True),
        pool(),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        pool(),
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        pool(),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        Fire(512, 64, 256),
    )


class Fire(nn.Module):
    """Squeezed by 1 x 1, then expanded by 1 x 1 and by 3 x 3 side by side (Iandola et al. 2016, Fig. 1)."""

    def __init__(self, in_channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeezed, kernel_size=1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """B in_channels H W to B (2 expanded) H W."""
        squeezed = F.relu(self.squeeze(x))
        return F.relu(torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1))


@dataclass(frozen=True)
class Backbone:
    """A network whose features are compared.

    Attributes:
        name: as messages call it.
        layers: makes its convolutional part.
        taps: which of these layers are compared.
        channels: of those layers.
        min_size: the least height and width that it reads, in pixels.
        weights: its own, trained on ImageNet.
        heads: one weight for each of the channels, under ``lin<tap>.model.1.weight``.
    """

    name: str
    layers: Callable[[], nn.Sequential]
    taps: tuple[int, ...]
    channels: tuple[int, ...]
    min_size: int
    weights: PublishedWeights
    heads: PublishedWeights


def _torchvision(name: str, file: str) -> PublishedWeights:
    digits = file.removesuffix(".pth").rpartition("-")[2]
    return PublishedWeights(name, f"https://download.pytorch.org/models/{file}", digits)


def _heads(name: str, file: str, sha256: str) -> PublishedWeights:
    folder = "https://github.com/richzhang/PerceptualSimilarity/raw/082bb24f84c0/lpips/weights/v0.1"
    return PublishedWeights(f"LPIPS v0.1 ({name})", f"{folder}/{file}.pth", sha256, f"lpips_v0.1_{file}.pth")


ALEXNET = Backbone(
    "AlexNet",
    alexnet,
    taps=(1, 4, 7, 9, 11),
    channels=(64, 192, 384, 256, 256),
    min_size=31,
    weights=_torchvision("AlexNet", "alexnet-owt-7be5be79.pth"),
    heads=_heads("AlexNet", "alex", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"),
)
SQUEEZENET = Backbone(
    "SqueezeNet",
    squeezenet,
    taps=(1, 4, 7, 9, 10, 11, 12),
    channels=(64, 128, 256, 384, 384, 512, 512),
    min_size=17,
    weights=_torchvision("SqueezeNet 1.1", "squeezenet1_1-b8a52dc0.pth"),
    heads=_heads("SqueezeNet", "squeeze", "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76"),
)
VGG16 = Backbone(
    "VGG16",
    partial(vgg.vgg_layers, vgg.VGG16_STAGES),
    taps=(3, 8, 15, 22, 29),
    channels=(64, 128, 256, 512, 512),
    min_size=vgg.MIN_SIZE,
    weights=_torchvision("VGG16", "vgg16-397923af.pth"),
    heads=_heads("VGG16", "vgg", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"),
)

BACKBONES: Mapping[str, Backbone] = {"alex": ALEXNET, "squeeze": SQUEEZENET, "vgg": VGG16}
"""By their published names. Papers compare by AlexNet's, mostly; figures of different ones do not compare."""


class Lpips(nn.Module):
    """The distance d of Eq. 1: 0 for equal pictures, and the greater the more they differ to the eye.

    Args:
        backbone: which one.
        features: its layers, with their weights; ``load_lpips`` reads them.
        heads: for each tap one weight for each channel, at least 0: Eq. 1's, squared.
    """

    def __init__(self, backbone: Backbone, features: nn.Sequential, heads: nn.ModuleList) -> None:
        super().__init__()
        self.taps = backbone.taps
        # Version 0.1 reads pictures in [-1, 1], less (-.030, -.088, -.188), by (.458, .448, .450): that is ImageNet's.
        self.scale = ImageNetScale(backbone.name, backbone.min_size)
        self.features, self.heads = features, heads
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """B; symmetric in both, and gradients flow into both.

        Args:
            image, target: B 3 H W, or B 1 H W for grey, in [-1, 1].

        Raises:
            InputError: pictures of different sizes or numbers of channels, other numbers of these, or too small ones.
        """
        if image.shape != target.shape:
            raise InputError(f"LPIPS: pictures are {tuple(image.shape)} and {tuple(target.shape)}, expected one size")
        distances = [
            head((one - other).square()).mean(dim=(1, 2, 3))
            for head, one, other in zip(self.heads, self._directions(image), self._directions(target), strict=True)
        ]
        return torch.stack(distances).sum(dim=0)

    def _directions(self, picture: Tensor) -> list[Tensor]:
        """Every tap's activations, the channels of each place as a vector of length 1; where all are 0 they stay so."""
        found = activations(self.features, self.taps, self.scale(picture))
        return [F.normalize(activation, dim=1, eps=1e-10) for activation in found]


def load_lpips(
    backbone: Backbone = ALEXNET, weights: Path | None = None, heads: Path | None = None, download: bool = False
) -> Lpips:
    """LPIPS with its published weights, on the CPU.

    Args:
        backbone: one of ``BACKBONES``.
        weights: torchvision's file of the backbone. None: the one in torch's cache of published weights.
        heads: the heads' file. None: the same as torchmetrics, which pixelwise needs anyhow, brings it.
        download: whether to fetch what is not given and not there.

    Raises:
        MissingWeightsError: a file that was not given is neither there nor to be had.
        InputError: no file where one was said to be, a file with another SHA-256, or one without these weights.
    """
    heads = heads or _in_torchmetrics(backbone.heads)
    return Lpips(
        backbone,
        features=backbone.weights.load(backbone.layers, weights, download, "features.{}".format),
        heads=backbone.heads.load(partial(new_heads, backbone), heads, download, _published_head),
    )


def new_heads(backbone: Backbone) -> nn.ModuleList:
    """Heads that have learned nothing yet."""
    return nn.ModuleList(nn.Conv2d(channels, 1, kernel_size=1, bias=False) for channels in backbone.channels)


def _published_head(name: str) -> str:
    """``0.weight`` is published as ``lin0.model.1.weight``."""
    tap, _, weight = name.partition(".")
    return f"lin{tap}.model.1.{weight}"


def _in_torchmetrics(heads: PublishedWeights) -> Path | None:
    path = Path(torchmetrics.functional.image.__path__[0]) / "lpips_models" / heads.url.rpartition("/")[2]
    return path if path.is_file() else None
