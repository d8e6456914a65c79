"""pix2pix: Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017.

One loss for every pair of kinds of pictures: a discriminator that sees both judges whether they belong together. The
generator is a U-Net (Fig. 3), since input and output show the same edges; its only noise is dropout, at test time too
(Sec. 3.3). The authors' later code base offers residual networks in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PIX2PIX
from pixelwise.errors import InputError
from pixelwise.layers.convolution import init_gaussian_weights
from pixelwise.layers.published_names import Renames, renamed, renamed_back, residual_network, without_statistics
from pixelwise.layers.residual import NORMS, MakeNorm, Normalisation, ResidualTrunk, first_convolution, to_picture
from pixelwise.layers.semantics import semantic_planes
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least

_WIDEST = 8
"""A U-Net's most channels, in units of its ``width``."""

_FIRST_NOISY_LEVEL = 4
"""Levels of a U-Net with dropout begin where no more channels are added, and end before the innermost one.

That is how the weights are published that can be adopted; in the paper the three innermost levels have it.
"""


@dataclass(frozen=True)
class Pix2PixConfig:
    """The published options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels. The published models read
            label maps as pictures.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        width: "ngf".
        num_downsamplings: of the U-Net, 8 or 7 for pictures of 256 or 128 pixels; of a residual network 2.
        num_blocks: residual blocks, 9 or 6; 0 makes the U-Net.
        norm: "batch" or "instance".
        batch_statistics: whether batch norm normalises by the picture's own statistics at test time too (Sec. 3.3), and
            keeps none of the training set.
        dropout: the share of features that dropout takes away; 0 for none.
        dropout_at_test: whether it does so at test time too: the same input gives another picture each time.
        tanh: whether the output passes through tanh; not where it is the logits of classes.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_downsamplings: int = 8
    num_blocks: int = 0
    norm: str = "batch"
    batch_statistics: bool = True
    dropout: float = 0.5
    dropout_at_test: bool = True
    tanh: bool = True

    def __post_init__(self) -> None:
        check_least("pix2pix", self, 1, "width")
        check_least("pix2pix", self, 1 if self.num_blocks else 2, "num_downsamplings")
        check_least("pix2pix", self, 0, "num_blocks")
        if self.norm not in NORMS or not 0 <= self.dropout < 1:
            raise InputError(
                f"pix2pix: norm must be one of {tuple(NORMS)}, dropout in [0, 1), got {self.norm!r} and {self.dropout}"
            )

    @property
    def in_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges

    @property
    def noisy_levels(self) -> range:
        """Of the U-Net, counted from the outermost one."""
        return range(_FIRST_NOISY_LEVEL, self.num_downsamplings - 1 if self.dropout else 0)

    @property
    def noisy_at_test(self) -> bool:
        """Whether the same input gives another picture each time."""
        noisy = self.dropout > 0 if self.num_blocks else len(self.noisy_levels) > 0
        return noisy and self.dropout_at_test

    @property
    def normalisation(self) -> Normalisation:
        make_norm: MakeNorm = NORMS[self.norm]
        if self.norm == "batch" and self.batch_statistics:
            make_norm = PictureNorm
        return Normalisation(make_norm, bias=self.norm == "instance")


class Pix2Pix(nn.Module):
    """The generator: ``condition`` of any size to a picture of the same size."""

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__()
        self.config = config
        self.size_multiple = 2**config.num_downsamplings
        if config.num_blocks:
            self.network: nn.Module = ResidualNetwork(config)
            # The paddings of a residual network reflect what is there.
            self.min_size = 2 * self.size_multiple
        else:
            self.network = UNet(config)
            self.min_size = self.size_multiple
        init_gaussian_weights(self)

    def forward(self, condition: Condition) -> Translation:
        config, (height, width) = self.config, condition.size
        padded = condition.padded(self.size_multiple, self.min_size)
        planes = semantic_planes(padded, config.num_labels, config.image_channels, config.instance_edges)
        return Translation(self.network(planes)[:, :, :height, :width])


class UNet(nn.Module):
    """An encoder and a decoder; what each level of the encoder has found skips over all that lies below it (Fig. 3)."""

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__()
        levels = range(config.num_downsamplings)
        self.tanh = config.tanh
        # Of each level's encoder; its decoder makes those of the level above.
        widths = [config.width * min(2**level, _WIDEST) for level in levels]
        self.down = nn.ModuleList(_down(config, level, widths) for level in levels)
        self.up = nn.ModuleList(_up(config, level, widths) for level in levels)

    def forward(self, x: Tensor) -> Tensor:
        """B in_channels H W to B out_channels H W, by tanh in [-1, 1]; H and W multiples of 2^num_downsamplings."""
        found = []
        for down in self.down:
            x = down(x)
            found.append(x)
        for level in reversed(range(len(found))):
            x = self.up[level](x if level == len(found) - 1 else torch.cat([found[level], x], dim=1))
        return torch.tanh(x) if self.tanh else x


def _down(config: Pix2PixConfig, level: int, widths: list[int]) -> nn.Sequential:
    """Neither the outermost nor the innermost level has a norm: the latter's could be over a single place.

    Their convolutions have no bias either where a norm would take it away, as in published checkpoints.
    """
    normalisation = config.normalisation
    before = widths[level - 1] if level else config.in_channels
    convolution = nn.Conv2d(before, widths[level], 4, 2, 1, bias=normalisation.bias)
    if level == 0:
        return nn.Sequential(convolution)
    norms = [] if level == len(widths) - 1 else [normalisation.make_norm(widths[level])]
    return nn.Sequential(nn.LeakyReLU(0.2), convolution, *norms)


def _up(config: Pix2PixConfig, level: int, widths: list[int]) -> nn.Sequential:
    normalisation, innermost = config.normalisation, len(widths) - 1
    before = widths[level] * (1 if level == innermost else 2)
    if level == 0:
        return nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(before, config.out_channels, 4, 2, 1))
    after = widths[level - 1]
    convolution = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=normalisation.bias)
    noise = [Noise(config.dropout, config.dropout_at_test)] if level in config.noisy_levels else []
    return nn.Sequential(nn.ReLU(), convolution, normalisation.make_norm(after), *noise)


class ResidualNetwork(nn.Module):
    """The generator of Johnson et al. (ECCV 2016) that the authors' later code base offers."""

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__()
        noise = partial(Noise, config.dropout, config.dropout_at_test) if config.dropout else None
        first = first_convolution(config.in_channels, config.width, config.normalisation)
        self.trunk = ResidualTrunk(
            first, config.width, config.num_downsamplings, config.num_blocks, config.normalisation, noise
        )
        self.to_picture = to_picture(config.width, config.out_channels, config.tanh)

    def forward(self, x: Tensor) -> Tensor:
        """B in_channels H W to B out_channels H W, by tanh in [-1, 1]; sizes as ``ResidualTrunk`` has them."""
        return self.to_picture(self.trunk(x))  # type: ignore[no-any-return]


class Noise(nn.Module):
    """Dropout, at test time too if ``at_test``."""

    def __init__(self, share: float, at_test: bool) -> None:
        super().__init__()
        self.share, self.at_test = share, at_test

    def forward(self, x: Tensor) -> Tensor:
        """B C H W to the same."""
        return F.dropout(x, self.share, self.training or self.at_test)


class PictureNorm(nn.Module):
    """Batch norm that keeps no statistics: it takes those of the batch in training, each picture's own at test time.

    The published test code has batches of one picture; so a picture does not depend on which others it came with.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """B C H W to the same."""
        if self.training:
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True)
        return F.instance_norm(x, weight=self.weight, bias=self.bias)


_AS_PUBLISHED = Pix2PixConfig(image_channels=3, out_channels=3)
_SOURCE = "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix"
_LICENCE = "BSD, as stated by the authors of the weights; not distributed with pixelwise"

PUBLISHED = {
    name: Published(_AS_PUBLISHED, (256, 256), _SOURCE, _LICENCE)
    for name in ("facades", "cityscapes", "maps", "maps_to_photo")
}
"""All of one configuration. "maps" reads aerial photos, as the data set of that name does."""


def adopt(state_dict: StateDict, config: Pix2PixConfig) -> StateDict:
    """Published names to ours."""
    keeps_statistics = config.norm == "batch" and not config.batch_statistics
    return renamed(state_dict if keeps_statistics else without_statistics(state_dict), _names(config))


def as_published(state_dict: StateDict, config: Pix2PixConfig) -> StateDict:
    """The way back."""
    return renamed_back(state_dict, _names(config))


def _names(config: Pix2PixConfig) -> Renames:
    if not config.num_blocks:
        return _unet_names(config.num_downsamplings)
    sizes = config.num_downsamplings, config.num_blocks
    return residual_network("model", "model", "network.trunk", "network.to_picture", *sizes)


def _unet_names(num_levels: int) -> Renames:
    """Levels were published one within the other, each as a sequence in which activations take a number too."""
    renames = [("model.model.0", "network.down.0.0"), ("model.model.3", "network.up.0.1")]
    outer = "model.model.1"
    for level in range(1, num_levels):
        up = 3 if level == num_levels - 1 else 5
        for theirs, ours in ((1, "down.{}.1"), (2, "down.{}.2"), (up, "up.{}.1"), (up + 1, "up.{}.2")):
            renames.append((f"{outer}.model.{theirs}", f"network.{ours.format(level)}"))
        outer += ".model.3"
    return renames


FAMILY = Family(
    name="pix2pix",
    paper="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017",
    config=Pix2PixConfig,
    generator=Pix2Pix,
    # The authors halve the discriminator's loss besides, which Adam does not notice.
    objective=Objective(adversarial="cross_entropy", feature_matching=0.0, perceptual=0.0, l1=100.0, kl=0.0),
    discriminator=PIX2PIX,
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    draws_noise=lambda config: config.noisy_at_test,
)
