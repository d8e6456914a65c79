"""GroupDNet: Zhu, Xu, You, Bai, "Semantically Multi-modal Image Synthesis", CVPR 2020.

Every class gets a style of its own that can be drawn anew while the others stay. All convolutions work in groups: the
encoder has one group for each class, the decoder starts so and has fewer and fewer groups towards the picture, so that
classes come to fit together (Fig. 2). GroupDNet-CLADE (Tan et al., TPAMI 2021, Sec. 4.10) takes scale and shift of its
normalisations from a table with one row for each class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulated import ModulatedBlock, ModulatedDecoder, usual_widths
from pixelwise.layers.modulation import NORMS, ClassModulation, Modulation
from pixelwise.layers.published_names import DECODER, ENCODER, SPATIAL_MODULATION, Renames, renamed, renamed_back
from pixelwise.layers.semantics import labels_of
from pixelwise.layers.start import Posterior, find_latent
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Styling, Translation, check_least
from pixelwise.models.groupdnet_encoder import LATENT, ClassEncoder

_NUM_BLOCKS = 7
_NUM_UPSAMPLINGS = 6


@dataclass(frozen=True)
class GroupDNetConfig:
    """The published options. Group counts are of the seven blocks in order; 0 stands for one group a class.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included.
        instance_edges: whether the borders of the instance map are an input; not with ``class_modulation``.
        image_channels: 0: pictures have no classes.
        out_channels: channels of the output.
        widths: channels before the first block and after each; () for SPADE's with an "ngf" of 8 a class.
        groups: of the blocks' convolutions.
        label_groups: of the convolutions that read the label map.
        modulation_groups: of those that make scale and shift.
        hidden: channels between these two; 0 stands for ``num_labels`` times ``groups``.
        class_modulation: GroupDNet-CLADE; the three fields above are not read.
        encoder_width: channels of the encoder's first convolution for each class; 0 without an encoder.
        size: (height, width) that the encoder works at, multiples of 64.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    widths: tuple[int, ...] = ()
    groups: tuple[int, ...] = (0, 0, 8, 8, 4, 4, 2)
    label_groups: tuple[int, ...] = (0,) * _NUM_BLOCKS
    modulation_groups: tuple[int, ...] = (0,) * _NUM_BLOCKS
    hidden: tuple[int, ...] = (0,) * _NUM_BLOCKS
    class_modulation: bool = False
    encoder_width: int = 32
    size: tuple[int, int] = (256, 256)

    def __post_init__(self) -> None:
        check_least("groupdnet", self, 0, "encoder_width")
        for name in ("groups", "label_groups", "modulation_groups", "hidden"):
            if len(getattr(self, name)) != _NUM_BLOCKS:
                raise InputError(f"groupdnet: {name} must be {_NUM_BLOCKS} numbers, got {getattr(self, name)}")
        if len(self.widths) not in (0, _NUM_BLOCKS + 1):
            raise InputError(f"groupdnet: widths must be {_NUM_BLOCKS + 1} numbers or none, got {self.widths}")
        if len(self.size) != 2 or any(side < 1 or side % 64 for side in self.size):
            raise InputError(f"groupdnet: size must be two multiples of 64, got {self.size}")
        if self.encoder_width and self.size == (64, 64):
            raise InputError("groupdnet: an encoder needs a size above 64 x 64, of which it makes one place")
        if self.image_channels:
            raise InputError(f"groupdnet reads label maps, not pictures of {self.image_channels} channels")
        if self.class_modulation and self.instance_edges:
            raise InputError("groupdnet with modulation by class reads no instance edges")

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of the latent map."""
        height, width = (side >> _NUM_UPSAMPLINGS for side in self.size)
        return LATENT * self.num_labels, height, width


class GroupDNet(nn.Module):
    """The generator (Fig. 2): ``condition`` of any size to a picture of the same size, with the style's posterior.

    The condition's latent is the latent map, of ``config.latent_shape``, as one row: B Z.

    Raises:
        InputError: a configuration without labels, or channels that cannot be dealt evenly to the groups.
    """

    def __init__(self, config: GroupDNetConfig) -> None:
        super().__init__()
        if config.num_labels < 1:
            raise InputError("groupdnet needs label maps, the configuration has num_labels = 0")
        self.config = config
        widths = config.widths or usual_widths(8 * config.num_labels, _NUM_UPSAMPLINGS)
        self.start = ClassStart(config, widths[0])
        self.decoder = ModulatedDecoder(widths, _NUM_UPSAMPLINGS, config.out_channels, self._block)
        self.size_multiple = self.decoder.size_multiple

    def _block(self, number: int, in_channels: int, out_channels: int) -> ModulatedBlock:
        config = self.config
        groups = config.groups[number] or config.num_labels

        def modulate(channels: int) -> Modulation:
            if config.class_modulation:
                return ClassModulation(channels, config.num_labels)
            return GroupModulation(channels, config, number)

        _check_even("groups", groups, in_channels, min(in_channels, out_channels), out_channels)
        return ModulatedBlock(in_channels, out_channels, modulate, groups)

    def forward(self, condition: Condition) -> Translation:
        """Raises InputError as ``ClassStart``."""
        config, padded = self.config, condition.padded(self.size_multiple)
        layout = Layout.of(padded, config.num_labels, config.image_channels, config.instance_edges)
        return Translation(*self.decoder.grow(self.start, condition, layout))


class ClassStart(nn.Module):
    """A grouped convolution over a latent map: the condition's, what the encoder finds in its style picture, or a draw.

    Args:
        config: of the generator.
        channels: of the start.
    """

    def __init__(self, config: GroupDNetConfig, channels: int) -> None:
        super().__init__()
        self.config = config
        _check_even("classes", config.num_labels, channels)
        width = config.encoder_width
        self.encoder = ClassEncoder(config.num_labels, width, (config.size[0], config.size[1])) if width else None
        self.convolution = nn.Conv2d(config.latent_shape[0], channels, 3, padding=1, groups=config.num_labels)

    def forward(self, condition: Condition, layout: Layout, size: tuple[int, int]) -> tuple[Tensor, Posterior | None]:
        """B channels, of ``size``, and the style picture's posterior, if there is one; see ``find_latent``.

        Raises:
            InputError: a latent of another length, or a style picture for a generator without an encoder.
        """
        encode = partial(self._posterior, condition)
        latent, posterior = find_latent(condition, encode, self.draw, self.training)
        start = self.convolution(latent_map(latent, self.config))
        return start if start.shape[-2:] == size else F.interpolate(start, size, mode="bilinear"), posterior

    def encode(self, condition: Condition) -> Tensor:
        """The styles of the classes of the condition's style picture, B Z: the posterior's mean."""
        assert condition.style is not None
        return self._posterior(condition, condition.style)[0]

    def draw(self, num_styles: int) -> Tensor:
        """Styles from the standard Gaussian: num_styles Z."""
        weight = self.convolution.weight
        styles = torch.randn(num_styles, *self.config.latent_shape, dtype=weight.dtype, device=weight.device)
        return styles.flatten(1)

    def _posterior(self, condition: Condition, style: Tensor) -> Posterior:
        if self.encoder is None:
            raise InputError("this model has no encoder to find the style of a picture; give a latent, or no style")
        num_labels = self.config.num_labels
        # Of the condition as it is, since the style picture is not padded.
        mean, log_variance = self.encoder(style, Layout(labels_of(condition, num_labels), num_labels))
        return mean.flatten(1), log_variance.flatten(1)


class GroupModulation(nn.Module):
    """SPADE's scale and shift in groups (CG-Norm): what they read of one class does not reach all channels.

    Args:
        channels: of the features.
        config: of the generator.
        number: of the block.

    Attributes:
        out_channels: as many as ``channels``.
    """

    def __init__(self, channels: int, config: GroupDNetConfig, number: int) -> None:
        super().__init__()
        classes = config.num_labels
        planes = classes * (1 + config.instance_edges)
        hidden = config.hidden[number] or classes * (config.groups[number] or classes)
        label_groups = config.label_groups[number] or classes
        groups = config.modulation_groups[number] or classes
        _check_even("label_groups", label_groups, planes, hidden)
        _check_even("modulation_groups", groups, hidden, channels)
        self.out_channels = channels
        self.norm = NORMS["batch"](channels)
        self.shared = nn.Conv2d(planes, hidden, 3, padding=1, groups=label_groups)
        self.gamma = nn.Conv2d(hidden, channels, 3, padding=1, groups=groups)
        self.beta = nn.Conv2d(hidden, channels, 3, padding=1, groups=groups)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B C h w, and the layout at h w, to B C h w."""
        hidden = F.relu(self.shared(_planes_by_class(layout)))
        return torch.addcmul(self.beta(hidden), self.norm(x), 1 + self.gamma(hidden))


def _planes_by_class(layout: Layout) -> Tensor:
    """The planes of ``layout``, with the edges, if there are any, behind every class's plane."""
    if layout.edges is None:
        return layout.planes
    labels, edges = layout.planes.split([layout.num_labels, 1], dim=1)
    return torch.stack([labels, edges.expand_as(labels)], dim=2).flatten(1, 2)


def latent_map(latent: Tensor, config: GroupDNetConfig) -> Tensor:
    """B Z as a map of ``config.latent_shape``. Raises InputError for another length."""
    channels, height, width = config.latent_shape
    if latent.shape[1:] != (channels * height * width,):
        raise InputError(
            f"the styles of {config.num_labels} classes are {channels}x{height}x{width} numbers in one row, "
            f"the latent has {tuple(latent.shape[1:])}"
        )
    return latent.reshape(-1, channels, height, width)


def _check_even(name: str, groups: int, *channels: int) -> None:
    """Raises InputError when ``channels`` cannot be dealt to ``groups``."""
    for count in channels:
        if groups < 1 or count % groups:
            raise InputError(f"groupdnet: {count} channels cannot be dealt evenly to {groups} {name}")


_SOURCE = "https://github.com/Seanseattle/SMIS"
_MEASURED = "Tan et al., TPAMI 2021, Table VIII, which has its costs; no weights are known to be published"
_LICENCE = "as stated by the authors of the weights; not distributed with pixelwise"

_SPATIAL = {
    # No paper states this one: with modulations as for Cityscapes, only these widths and groups cost what Table VIII
    # says. Without its encoder.
    "celebamask_hq": Published(
        GroupDNetConfig(num_labels=19, out_channels=3, widths=usual_widths(304, _NUM_UPSAMPLINGS), encoder_width=0),
        (256, 256), _MEASURED, _LICENCE,
    ),
    "deepfashion": Published(
        GroupDNetConfig(
            num_labels=8, out_channels=3, widths=usual_widths(160, _NUM_UPSAMPLINGS), groups=(8, 8, 4, 4, 2, 2, 1),
            label_groups=(8, 8, 4, 4, 2, 2, 1), modulation_groups=(8, 8, 4, 4, 2, 2, 1), hidden=(128,) * _NUM_BLOCKS,
        ),
        (256, 256), _SOURCE, _LICENCE,
    ),
    # Without its encoder, whose width is not stated.
    "cityscapes": Published(
        GroupDNetConfig(
            num_labels=35, instance_edges=True, out_channels=3, widths=usual_widths(280, _NUM_UPSAMPLINGS),
            groups=(35, 35, 20, 14, 10, 4, 1), encoder_width=0, size=(256, 512),
        ),
        (256, 512), _SOURCE, _LICENCE,
    ),
}  # fmt: skip


def _by_class(published: Published) -> Published:
    config = replace(published.config, class_modulation=True, instance_edges=False)  # type: ignore[type-var]
    return replace(published, config=config, source=_MEASURED)


PUBLISHED = {**_SPATIAL, **{f"{name}_clade": _by_class(published) for name, published in _SPATIAL.items()}}


_NAMES: Renames = [*ENCODER, *DECODER, *SPATIAL_MODULATION, ("fc", "start.convolution")]


def adopt(state_dict: StateDict, config: GroupDNetConfig) -> StateDict:
    """Published names to ours, without an eighth block that is published and unused.

    A generator with its encoder comes as one, under the prefixes netG. and netE.
    """
    used = {name: tensor for name, tensor in state_dict.items() if "up_4." not in name}
    return renamed(used, _NAMES)


def as_published(state_dict: StateDict, config: GroupDNetConfig) -> StateDict:
    """The way back."""
    return renamed_back(state_dict, _NAMES)


FAMILY = Family(
    name="groupdnet",
    paper="Zhu et al., Semantically Multi-modal Image Synthesis, CVPR 2020",
    config=GroupDNetConfig,
    generator=GroupDNet,
    objective=Objective(adversarial="hinge", feature_matching=10.0, perceptual=10.0, kl=0.05),
    discriminator=PatchDiscriminatorConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    reads_style=lambda config: config.encoder_width > 0,
    styling=lambda generator: Styling(generator.start.encode, generator.start.draw, by_class=True),
)
