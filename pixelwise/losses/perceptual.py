"""The perceptual loss: two pictures are alike when a network trained on ImageNet sees the same in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.layers.imagenet import ImageNetScale, activations
from pixelwise.layers.vgg import MIN_SIZE, VGG19_STAGES, vgg_layers
from pixelwise.losses.regression import l1
from pixelwise.published_weights import PublishedWeights

VGG19_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
VGG19_SHA256 = "dcbb9e9d"
"""The first digits of the published file's SHA-256; they are part of its name."""

Taps = Mapping[int, float]
"""Activations to compare pictures by, fine to coarse: from a layer's place in torchvision's ``features`` to the weight
of its mean absolute difference; from ``PICTURE`` to that of the picture itself."""

PICTURE = -1
"""The place, before all layers, of the picture as VGG19 reads it."""

# relu1_1 … relu5_1 as pix2pixHD and SPADE weigh them; the picture and relu1_2 … relu5_2 as CRN does, by the inverse of
# their number of elements, which is what a mean has; all of them, alike, as MSG U-Net does.
TAPS: Mapping[str, Taps] = {
    "first": {1: 1 / 32, 6: 1 / 16, 11: 1 / 8, 20: 1 / 4, 29: 1.0},
    "second": {PICTURE: 1.0, 3: 1.0, 8: 1.0, 13: 1.0, 22: 1.0, 31: 1.0},
    "all": dict.fromkeys((1, 3, 6, 8, 11, 13, 15, 17, 20, 22, 24, 26, 29, 31, 33, 35), 1.0),
}
"""The names that configurations use: by which convolutions of each of VGG19's five stages."""


class Vgg19Features(nn.Module):
    """VGG19 from the picture to the last tap, fixed; parameters have torchvision's names (``features.0.weight``).

    Args:
        taps: which activations are wanted.
    """

    def __init__(self, taps: Taps = TAPS["first"]) -> None:
        super().__init__()
        self.taps = taps
        self.scale = ImageNetScale("VGG19", MIN_SIZE)
        self.features = vgg_layers(VGG19_STAGES, max(taps) + 1)
        self.requires_grad_(False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """The activations that the taps name, fine to coarse.

        Args:
            picture: B 3 H W, or B 1 H W for grey, in [-1, 1]; H and W at least 16.

        Raises:
            InputError: another number of channels, or a picture that is too small.
        """
        read = self.scale(picture)
        found = activations(self.features, self.taps, read)
        return [read, *found] if PICTURE in self.taps else found


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
    published = PublishedWeights("VGG19", VGG19_URL, sha256)
    return PerceptualLoss(published.load(partial(Vgg19Features, taps), path, download))
