"""SEAN: Zhu, Abdal, Qin, Wonka, "SEAN: Image Synthesis with Semantic Region-Adaptive Normalization", CVPR 2020.

Each region has a style of its own: an encoder averages what it finds in a picture over the region, and every
normalisation of SPADE's generator blends what the label map says with what the styles say that stand there (Fig. 3).
So the hair of one picture can be given to the face of another. SEAN-CLADE (Tan et al., TPAMI 2021, Sec. 4.10) has a
table with one row for each class where SEAN has SPADE's convolutions over the label map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulated import ModulatedBlock, ModulatedDecoder
from pixelwise.layers.modulation import ClassModulation, SpatialModulation
from pixelwise.layers.published_names import renamed, renamed_back
from pixelwise.layers.regions import class_means, painted
from pixelwise.layers.semantics import labels_of
from pixelwise.layers.start import LayoutStart
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Styling, Translation, check_least
from pixelwise.models.sean_names import NAMES, joined, split

_LAST_BLOCK = 6

Noise = Callable[[Tensor], Tensor]
"""From features B C h w to the noise that they get, B 1 h w."""


def gaussian_noise(features: Tensor) -> Tensor:
    """Standard normal, drawn anew on every call from torch's global generator."""
    return torch.randn_like(features[:, :1])


@dataclass(frozen=True)
class SeanConfig:
    """The published options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included.
        instance_edges: whether the borders of the instance map are an input; not with ``class_modulation``.
        image_channels: 0: pictures have no regions.
        out_channels: channels of the output.
        width: "ngf".
        num_upsamplings: 5 or 6: "normal" or "more".
        style_length: numbers that describe a region's style.
        hidden: channels between the convolutions that read the label map.
        encoder_width: channels of the style encoder's first convolution.
        class_modulation: SEAN-CLADE.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_upsamplings: int = 5
    style_length: int = 512
    hidden: int = 128
    encoder_width: int = 32
    class_modulation: bool = False

    def __post_init__(self) -> None:
        check_least("sean", self, 1, "width", "hidden", "style_length", "encoder_width")
        if self.num_upsamplings not in (5, 6):
            raise InputError(f"sean: num_upsamplings must be 5 or 6, got {self.num_upsamplings}")
        if self.image_channels:
            raise InputError(f"sean reads label maps, not pictures of {self.image_channels} channels")
        if self.class_modulation and self.instance_edges:
            raise InputError("sean with modulation by class reads no instance edges")


class Sean(nn.Module):
    """The generator (Fig. 4): ``condition`` of any size to a picture of the same size.

    Args:
        noise: what every normalisation adds to its features, in training and in inference.
    """

    def __init__(self, config: SeanConfig, noise: Noise = gaussian_noise) -> None:
        super().__init__()
        self.config = config
        self.noise = noise
        self.encoder = RegionEncoder(config.encoder_width, config.style_length)
        self.decoder = ModulatedDecoder(config.width, config.num_upsamplings, config.out_channels, self._block)
        self.size_multiple = self.decoder.size_multiple
        self.start = LayoutStart(config.num_labels + config.instance_edges, self.decoder.start_channels)

    def _block(self, number: int, in_channels: int, out_channels: int) -> ModulatedBlock:
        # The last block reads no styles, as in published checkpoints.
        return ModulatedBlock(
            in_channels,
            out_channels,
            lambda channels: RegionModulation(channels, self.config, self.noise, styled=number != _LAST_BLOCK),
        )

    def forward(self, condition: Condition) -> Translation:
        """Styles are those of ``codes``. Raises InputError as it does."""
        config, padded = self.config, condition.padded(self.size_multiple)
        layout = Layout.of(padded, config.num_labels, config.image_channels, config.instance_edges)
        layout = replace(layout, styles=self.codes(condition))
        return Translation(*self.decoder.grow(self.start, condition, layout))

    def codes(self, condition: Condition) -> Tensor:
        """The style of each class, B num_labels style_length.

        They are the condition's latent, or what the encoder finds in its style picture where the condition's labels
        say. A style goes from one picture to another by way of the latent, ``codes.flatten(1)``.

        Raises:
            InputError: neither latent nor style picture, or a latent of another length.
        """
        classes, length, latent = self.config.num_labels, self.config.style_length, condition.latent
        if latent is not None:
            if latent.shape[1:] != (classes * length,):
                found = tuple(latent.shape[1:])
                raise InputError(f"the styles are {classes} x {length} numbers in one row, the latent is {found}")
            return latent.reshape(-1, classes, length)
        if condition.style is None:
            raise InputError("a style picture or a latent is needed, the condition has neither")
        # Of the condition as it is, since the style picture is not padded.
        codes: Tensor = self.encoder(condition.style, Layout(labels_of(condition, classes), classes))
        return codes


class RegionEncoder(nn.Module):
    """From a picture to the style of each of its classes (Fig. 4 A).

    Args:
        width: channels of the first convolution.
        length: numbers that describe a style.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Conv2d(3, width, 3, padding=1, padding_mode="reflect"),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            nn.ConvTranspose2d(4 * width, 8 * width, 3, stride=2, padding=1, output_padding=1),
        ])  # fmt: skip
        self.to_styles = nn.Conv2d(8 * width, length, 3, padding=1, padding_mode="reflect")

    def forward(self, picture: Tensor, layout: Layout) -> Tensor:
        """The means over each class's pixels; 0 for classes that are not there.

        Args:
            picture: B 3 H W in [-1, 1].
            layout: of any size; it is stretched over the picture.

        Returns:
            B num_labels length, in [-1, 1].

        Raises:
            InputError: a picture that is too small.
        """
        if min(picture.shape[-2:]) < 8:
            raise InputError(f"a style picture must be at least 8x8, got {picture.shape[-1]}x{picture.shape[-2]}")
        x = picture
        for layer in self.layers:
            x = F.leaky_relu(F.instance_norm(layer(x)), 0.2)
        styles = torch.tanh(self.to_styles(x))
        return class_means(styles, layout.at((styles.shape[2], styles.shape[3])).planes)


class RegionModulation(nn.Module):
    """Normalisation whose scale and shift come from the layout and, blended with that, from styles (Fig. 3).

    Args:
        channels: of the features.
        config: of the generator.
        noise: what is added to the features, by a learned amount for each channel.
        styled: False leaves styles aside.

    Attributes:
        out_channels: as many as ``channels``.
    """

    def __init__(self, channels: int, config: SeanConfig, noise: Noise, styled: bool) -> None:
        super().__init__()
        self.out_channels = channels
        self.noise = noise
        self.noise_scale = nn.Parameter(torch.zeros(channels))
        self.by_layout: SpatialModulation | ClassModulation = (
            ClassModulation(channels, config.num_labels)
            if config.class_modulation
            else SpatialModulation(channels, config.num_labels + config.instance_edges, hidden=config.hidden)
        )
        self.by_style = StyleModulation(channels, config.num_labels, config.style_length) if styled else None

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B C h w, and the layout at h w with its styles, to B C h w."""
        x = torch.addcmul(x, self.noise(x), self.noise_scale[:, None, None])
        scale, shift = self.by_layout.scale_and_shift(layout)
        if self.by_style is not None:
            scale, shift = self.by_style(scale, shift, layout)
        return torch.addcmul(shift, self.by_layout.norm(x), scale)


class StyleModulation(nn.Module):
    """Blends scale and shift with those of the styles that stand there.

    Args:
        channels: of the features.
        num_labels: classes, don't care included.
        length: numbers that describe a style.
    """

    def __init__(self, channels: int, num_labels: int, length: int) -> None:
        super().__init__()
        # A linear layer of its own for each class.
        self.per_class = nn.Conv1d(num_labels * length, num_labels * length, 1, groups=num_labels)
        self.gamma = nn.Conv2d(length, channels, 3, padding=1)
        self.beta = nn.Conv2d(length, channels, 3, padding=1)
        self.blend_gamma, self.blend_beta = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def forward(self, scale: Tensor, shift: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """B C h w each, of the layout's size, blended by learned shares."""
        assert layout.labels is not None
        assert layout.styles is not None
        styles = F.relu(self.per_class(layout.styles.flatten(1)[:, :, None]))
        style_map = painted(styles.reshape(layout.styles.shape), layout.labels)
        gamma_share, beta_share = torch.sigmoid(self.blend_gamma), torch.sigmoid(self.blend_beta)
        # Not torch.lerp, which takes no two types, as there are under autocast.
        return (
            (1 - gamma_share) * scale + gamma_share * (1 + self.gamma(style_map)),
            (1 - beta_share) * shift + beta_share * self.beta(style_map),
        )


_SEAN = "https://github.com/ZPdesu/SEAN"
_MEASURED = "Tan et al., TPAMI 2021, Table VIII, which has its costs; no weights are known to be published"
_LICENCE = "as stated by the authors of the weights; not distributed with pixelwise"
_CONFIGS = {
    "celebamask_hq": SeanConfig(num_labels=19, out_channels=3),
    "deepfashion": SeanConfig(num_labels=8, out_channels=3),
    "cityscapes": SeanConfig(num_labels=35, out_channels=3, num_upsamplings=6),
}
_SIZES = {"celebamask_hq": (256, 256), "deepfashion": (256, 256), "cityscapes": (256, 512)}

PUBLISHED = {
    **{
        name: Published(config, _SIZES[name], _SEAN if name == "celebamask_hq" else _MEASURED, _LICENCE)
        for name, config in _CONFIGS.items()
    },
    **{
        f"{name}_clade": Published(replace(config, class_modulation=True), _SIZES[name], _MEASURED, _LICENCE)
        for name, config in _CONFIGS.items()
    },
}


def adopt(state_dict: StateDict, config: SeanConfig) -> StateDict:
    """Published names to ours, without what is published and unused.

    That is: the statistics of a second norm beside each one, how styles are blended where there are none, and layers of
    classes beyond ``num_labels``; the others of one modulation become one tensor. Raises InputError as ``joined``.
    """
    unused = ("Spade.param_free_norm", "up_3.ace_0.blending", "up_3.ace_1.blending", "up_3.ace_s.blending")
    used = {name: tensor for name, tensor in state_dict.items() if not any(part in name for part in unused)}
    return renamed(joined(used, config.num_labels), NAMES)


def as_published(state_dict: StateDict, config: SeanConfig) -> StateDict:
    """The way back, to a layer for each class."""
    return split(renamed_back(state_dict, NAMES), config.num_labels)


FAMILY = Family(
    name="sean",
    paper="Zhu et al., SEAN: Image Synthesis with Semantic Region-Adaptive Normalization, CVPR 2020",
    config=SeanConfig,
    generator=Sean,
    objective=Objective(adversarial="hinge", feature_matching=10.0, perceptual=10.0),
    discriminator=PatchDiscriminatorConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    reads_style=lambda _: True,
    draws_noise=lambda _: True,
    styling=lambda generator: Styling(lambda condition: generator.codes(condition).flatten(1), by_class=True),
)
