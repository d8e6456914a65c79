"""DnCNN: Zhang, Zuo, Chen, Meng, Zhang, "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
Denoising", IEEE Transactions on Image Processing 2017.

A plain stack of convolutions finds the noise in a picture, which is then taken away from it (Sec. III-A): the clean
picture, which most of the network's capacity would otherwise be spent on, goes past it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.published_names import Renames, renamed, renamed_back
from pixelwise.layers.semantics import semantic_planes
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least


@dataclass(frozen=True)
class DnCnnConfig:
    """The published options.

    Attributes:
        num_labels: 0: label maps have no noise.
        instance_edges: False, for the same reason.
        image_channels: of the noisy picture: 1, grey, or 3.
        out_channels: as many.
        width: channels of all layers between the first and the last convolution.
        depth: convolutions in all: 17 for noise of one strength (DnCNN-S), 20 for noise of any (DnCNN-B).
        batch_norm: whether the layers in between are normalised. Weights are often published with the norms merged into
            the convolutions.
        bias: whether convolutions add one.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    depth: int = 17
    batch_norm: bool = True
    bias: bool = False

    def __post_init__(self) -> None:
        check_least("dncnn", self, 1, "width")
        check_least("dncnn", self, 2, "depth")
        if self.num_labels or self.instance_edges:
            raise InputError("dncnn reads pictures: it has no use for label maps or instance maps")
        if self.image_channels != self.out_channels:
            raise InputError(
                f"dncnn takes noise away from what it reads: image_channels and out_channels must be equal, "
                f"got {self.image_channels} and {self.out_channels}"
            )


class DnCnn(nn.Module):
    """The denoiser: a noisy picture of any size, not clipped, to a clean one of the same size."""

    size_multiple = 1

    def __init__(self, config: DnCnnConfig) -> None:
        super().__init__()
        self.config = config
        self.first = _convolution(config, config.image_channels, config.width)
        self.hidden = nn.Sequential(*(_hidden(config) for _ in range(config.depth - 2)))
        self.last = _convolution(config, config.width, config.out_channels)
        self.relu = nn.ReLU(inplace=True)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                # He et al., ICCV 2015, as the paper's Sec. IV-A says.
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, condition: Condition) -> Translation:
        """Raises InputError for a condition without a picture of ``image_channels``."""
        noisy = semantic_planes(condition, 0, self.config.image_channels, edges=False)
        # Published weights read pictures in [0, 1].
        noise = self._noise((noisy + 1) / 2)
        return Translation(noisy - 2 * noise)

    def _noise(self, picture: Tensor) -> Tensor:
        return self.last(self.hidden(self.relu(self.first(picture))))  # type: ignore[no-any-return]


def _convolution(config: DnCnnConfig, in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=config.bias)


def _hidden(config: DnCnnConfig) -> nn.Sequential:
    norms = [nn.BatchNorm2d(config.width)] if config.batch_norm else []
    return nn.Sequential(_convolution(config, config.width, config.width), *norms, nn.ReLU(inplace=True))


_SAO_YAN = ("https://github.com/SaoYan/DnCNN-PyTorch", "GPL-3.0 (the repository's); not distributed with pixelwise")
_KAIR = ("https://github.com/cszn/KAIR", "MIT (the repository's); not distributed with pixelwise")


def _published(
    source: tuple[str, str], noise: tuple[float, float], channels: int = 1, **fields: int | bool
) -> Published:
    config = DnCnnConfig(image_channels=channels, out_channels=channels, **fields)  # type: ignore[arg-type]
    return Published(config, (50, 50) if config.depth == 20 else (40, 40), *source, noise)


_BLIND = (0, 55)


PUBLISHED = {
    **{f"s{sigma}": _published(_SAO_YAN, (sigma, sigma)) for sigma in (15, 25, 50)},
    "b": _published(_SAO_YAN, _BLIND, depth=20),
    **{f"kair_{sigma}": _published(_KAIR, (sigma, sigma), batch_norm=False, bias=True) for sigma in (15, 25, 50)},
    "kair_gray_blind": _published(_KAIR, _BLIND, depth=20, batch_norm=False, bias=True),
    "kair_color_blind": _published(_KAIR, _BLIND, channels=3, depth=20, batch_norm=False, bias=True),
}
"""By the standard deviation of the noise in grey levels 0..255. KAIR is by the paper's first author, its norms are
merged into the convolutions; the others are of a re-implementation."""


def adopt(state_dict: StateDict, config: DnCnnConfig) -> StateDict:
    """Published names, in which the layers of one sequence are numbered, to ours."""
    adopted = renamed(state_dict, _names(config))
    if config.batch_norm:
        # Old versions of torch did not count batches, of which nothing depends on the number.
        for block in range(config.depth - 2):
            adopted.setdefault(f"hidden.{block}.1.num_batches_tracked", torch.tensor(0))
    return adopted


def as_published(state_dict: StateDict, config: DnCnnConfig) -> StateDict:
    """The way back."""
    return renamed_back(state_dict, _names(config))


def _names(config: DnCnnConfig) -> Renames:
    """Of either sequence. The way back leads to the one that is published with such norms, or without any."""
    with_norms, without = _names_in("dncnn", config), _names_in("model", config)
    return [*without, *with_norms] if config.batch_norm else [*with_norms, *without]


def _names_in(theirs: str, config: DnCnnConfig) -> Renames:
    layers_each = 3 if config.batch_norm else 2
    firsts = [2 + layers_each * block for block in range(config.depth - 2)]
    places = (0, 1) if config.batch_norm else (0,)
    return [
        (f"{theirs}.0", "first"),
        *((f"{theirs}.{first + place}", f"hidden.{i}.{place}") for i, first in enumerate(firsts) for place in places),
        (f"{theirs}.{2 + layers_each * (config.depth - 2)}", "last"),
    ]


def reach(config: DnCnnConfig) -> int:
    """A pixel for each convolution of 3 x 3 (Sec. III-A: a receptive field of 2 depth + 1)."""
    return config.depth


FAMILY = Family(
    name="dncnn",
    paper="Zhang et al., Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising, TIP 2017",
    config=DnCnnConfig,
    generator=DnCnn,
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=0.0, l2=1.0, kl=0.0),
    discriminator=None,
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    restores=True,
    reach=reach,
)
