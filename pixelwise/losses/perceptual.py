"""The perceptual loss: two pictures are alike when a network trained on ImageNet sees the same in them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.digest import sha256_of
from pixelwise.errors import InputError
from pixelwise.losses.regression import l1

VGG19_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
VGG19_SHA256 = "dcbb9e9d"
"""The first digits of the published file's SHA-256; they are part of its name."""

# Simonyan and Zisserman 2015, Table 1, column E: (channels, convolutions) between poolings.
STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))

Taps = Mapping[int, float]
"""Activations to compare pictures by, fine to coarse: from a layer's place in torchvision's ``features`` to the weight
of its mean absolute difference."""

# relu1_1 … relu5_1 as pix2pixHD and SPADE weigh them; relu1_2 … relu5_2 as CRN does, by the inverse of their number of
# elements, which is what a mean has; all of them, alike, as MSG U-Net does.
TAPS: Mapping[str, Taps] = {
    "first": {1: 1 / 32, 6: 1 / 16, 11: 1 / 8, 20: 1 / 4, 29: 1.0},
    "second": {3: 1.0, 8: 1.0, 13: 1.0, 22: 1.0, 31: 1.0},
    "all": dict.fromkeys((1, 3, 6, 8, 11, 13, 15, 17, 20, 22, 24, 26, 29, 31, 33, 35), 1.0),
}
"""The names that configurations use: by which convolutions of each of VGG19's five stages."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class MissingWeightsError(InputError):
    """VGG19's weights are not on this machine, and nobody said where they are. Training can go on without the term."""


class Vgg19Features(nn.Module):
    """VGG19 from the picture to the last tap, fixed; parameters have torchvision's names (``features.0.weight``).

    Args:
        taps: which activations are wanted.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, taps: Taps = TAPS["first"]) -> None:
        super().__init__()
        self.taps = taps
        self.features = nn.Sequential(*_stages()[: max(taps) + 1])
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """The activations that the taps name, fine to coarse.

        Args:
            picture: B 3 H W, or B 1 H W for grey, in [-1, 1]; H and W at least 16.

        Raises:
            InputError: another number of channels, or a picture that is too small.
        """
        _, channels, height, width = picture.shape
        if channels not in (1, 3) or min(height, width) < 16:
            raise InputError(f"picture is {tuple(picture.shape)}, VGG19 expects B 1 or 3, at least 16, at least 16")
        x = ((picture + 1) / 2 - self.mean) / self.std
        activations = []
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place in self.taps:
                activations.append(x)
        return activations


class PerceptualLoss(nn.Module):
    """The weighted sum over taps of the mean absolute difference of VGG19's activations (Johnson et al., ECCV 2016).

    Args:
        network: with its trained weights; ``load_perceptual_loss`` reads them.
    """

    def __init__(self, network: Vgg19Features) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """A scalar. Gradients flow into ``image`` only.

        Args:
            image, target: B 3 H W or B 1 H W in [-1, 1].
        """
        with torch.no_grad():
            wanted = self.network(target)
        differences = (l1(seen, want) for seen, want in zip(self.network(image), wanted, strict=True))
        weights = self.network.taps.values()
        weighted = [weight * difference for weight, difference in zip(weights, differences, strict=True)]
        return torch.stack(weighted).sum()

    def by_region(self, pictures: Tensor, target: Tensor, regions: Tensor | None) -> Tensor:
        """The parts of the loss that regions have in it: of each of K pictures their sum is what ``forward`` gives.

        Args:
            pictures: B K 3 H W or B K 1 H W in [-1, 1]; gradients flow into these only.
            target: B 3 H W or B 1 H W in [-1, 1].
            regions: B P H W of zeros and ones, each pixel in one region, reduced to a layer's size by averaging; None
                for the whole picture as the one region.

        Returns:
            B K P.
        """
        if regions is None:
            regions = torch.ones_like(target[:, :1])
        with torch.no_grad():
            wanted = self.network(target)
        parts = []
        seen = self.network(pictures.flatten(0, 1))
        for weight, see, want in zip(self.network.taps.values(), seen, wanted, strict=True):
            difference = (see.unflatten(0, pictures.shape[:2]) - want[:, None]).abs().mean(dim=2)
            shares = F.interpolate(regions, want.shape[-2:], mode="area")
            parts.append(weight * torch.einsum("bkhw,bphw->bkp", difference, shares) / want[0, 0].numel())
        return torch.stack(parts).sum(dim=0)


def load_perceptual_loss(
    path: Path | None = None, download: bool = False, sha256: str = VGG19_SHA256, taps: Taps = TAPS["first"]
) -> PerceptualLoss:
    """The perceptual loss with VGG19's published weights, on the CPU.

    Args:
        path: torchvision's file ``vgg19-dcbb9e9d.pth``. None: the one in torch's cache of published weights.
        download: whether to fetch the file (548 MB) when ``path`` is None and the cache has none.
        sha256: the digits that the file's SHA-256 must begin with.
        taps: the activations to compare by.

    Raises:
        MissingWeightsError: no path was given, and the file is neither in the cache nor to be had.
        InputError: no file at ``path``, a file with another SHA-256, or one without VGG19's weights.
    """
    if path is None:
        path = _cached(download)
    elif not path.is_file():
        raise InputError(f"{path}: no such file; expected VGG19's weights ({VGG19_URL})")
    found = sha256_of(path)
    if not found.startswith(sha256):
        raise InputError(f"{path}: SHA-256 is {found}, expected one that begins with {sha256} ({VGG19_URL})")
    network = Vgg19Features(taps)
    try:
        published = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({name: published[name] for name in network.state_dict()})
    except (pickle.UnpicklingError, RuntimeError, LookupError, EOFError, TypeError) as error:
        raise InputError(f"{path}: not VGG19's weights in torchvision's format ({error})") from error
    return PerceptualLoss(network)


def _stages() -> list[nn.Module]:
    layers: list[nn.Module] = []
    in_channels = 3
    for channels, num_convolutions in STAGES:
        if layers:
            layers.append(nn.MaxPool2d(2))
        for _ in range(num_convolutions):
            layers += [nn.Conv2d(in_channels, channels, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
            in_channels = channels
    return layers


def _cached(download: bool) -> Path:
    path = Path(torch.hub.get_dir()) / "checkpoints" / VGG19_URL.rpartition("/")[2]
    if path.is_file():
        return path
    if not download:
        raise MissingWeightsError(f"{path}: no VGG19 weights there; give the file, or download {VGG19_URL}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # It writes beside, checks the digits of the SHA-256, and renames.
        torch.hub.download_url_to_file(VGG19_URL, str(path), hash_prefix=VGG19_SHA256)
    except (OSError, RuntimeError) as error:
        raise MissingWeightsError(f"{VGG19_URL}: VGG19's weights could not be downloaded ({error})") from error
    return path
