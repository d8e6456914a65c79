"""pix2pixHD: Wang, Liu, Zhu, Tao, Kautz, Catanzaro, "High-Resolution Image Synthesis and Semantic Manipulation with
Conditional GANs", CVPR 2018.

A residual network makes the picture at a moderate size. Around it come local enhancers, one for each further doubling:
each reads the input at its own size and adds to its features those that the smaller network has found (Fig. 3). Borders
of instances are an input of their own (Sec. 3.3); numbers that an encoder finds for each object of a picture let its
look be chosen (Sec. 3.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PIX2PIX_HD
from pixelwise.errors import InputError
from pixelwise.labels import one_hot
from pixelwise.layers.convolution import init_gaussian_weights
from pixelwise.layers.layout import Layout
from pixelwise.layers.layout_convolution import LayoutConv2d
from pixelwise.layers.published_names import Renames, renamed, renamed_back, residual_network, without_statistics
from pixelwise.layers.regions import class_means, painted
from pixelwise.layers.residual import NORMS, Normalisation, ResidualTrunk, first_convolution, to_picture
from pixelwise.layers.semantics import labels_of
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Growth, Published, StateDict, Styling, Translation, check_least
from pixelwise.models.pix2pixhd_styles import FeatureEncoder, Styles, labels_and_instances, padded_picture


@dataclass(frozen=True)
class Pix2PixHdConfig:
    """The published options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        width: "ngf", channels at full resolution.
        num_downsamplings: of the global generator, which has ``width`` * 2^``num_enhancers`` channels.
        num_blocks: its residual blocks.
        num_enhancers: local enhancers around it, each for pictures twice as large.
        num_enhancer_blocks: residual blocks of each.
        norm: "instance" or "batch".
        num_features: numbers that describe an object's look; 0 for no encoder. They need instance maps.
        encoder_width: "nef".
        encoder_num_downsamplings: of the encoder.
        num_styles: looks that are kept of each class.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_downsamplings: int = 4
    num_blocks: int = 9
    num_enhancers: int = 0
    num_enhancer_blocks: int = 3
    norm: str = "instance"
    num_features: int = 0
    encoder_width: int = 16
    encoder_num_downsamplings: int = 4
    num_styles: int = 10

    def __post_init__(self) -> None:
        check_least("pix2pixhd", self, 0, "num_enhancers", "num_features")
        check_least("pix2pixhd", self, 1, *_COUNTS)
        if self.norm not in NORMS:
            raise InputError(f"pix2pixhd: norm must be one of {tuple(NORMS)}, got {self.norm!r}")
        if self.num_features and not self.instance_edges:
            raise InputError("pix2pixhd: features belong to instances: num_features needs instance_edges")

    @property
    def in_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges + self.num_features

    @property
    def normalisation(self) -> Normalisation:
        return Normalisation(NORMS[self.norm], bias=True)


_COUNTS = ("width", "num_downsamplings", "num_blocks", "num_enhancer_blocks", "encoder_width",
           "encoder_num_downsamplings", "num_styles")  # fmt: skip


class Pix2PixHd(nn.Module):
    """The generator (Fig. 3): ``condition`` of any size to a picture of the same size.

    Attributes:
        trunks: the global generator, then the local enhancers from the innermost to the outermost one. A generator with
            one enhancer less and twice the width has trunks of the same names and shapes, but for the last one: so
            training from coarse to fine takes them over.
        encoder, styles: find objects' features and keep those of each class; None without features.
    """

    def __init__(self, config: Pix2PixHdConfig) -> None:
        super().__init__()
        self.config = config
        # Paddings reflect what is there, at the lowest resolution too: two places at least.
        self.size_multiple = 2 ** (config.num_downsamplings + config.num_enhancers)
        styled = config.num_features > 0
        self.encoder = self._feature_encoder() if styled else None
        self.styles = Styles(config.num_labels, config.num_styles, config.num_features) if styled else None
        self.trunks = nn.ModuleList(self._trunk(number) for number in range(config.num_enhancers + 1))
        self.to_picture = to_picture(config.width, config.out_channels)
        init_gaussian_weights(self)

    def _feature_encoder(self) -> FeatureEncoder:
        config = self.config
        sizes = config.encoder_width, config.encoder_num_downsamplings
        return FeatureEncoder(config.out_channels, config.num_features, *sizes, config.normalisation)

    def _trunk(self, number: int) -> ResidualTrunk:
        config = self.config
        width = config.width << (config.num_enhancers - number)
        sizes = (1, config.num_enhancer_blocks) if number else (config.num_downsamplings, config.num_blocks)
        reads_layout = number == config.num_enhancers
        ends = config.in_channels, width
        first = LayoutConv2d(*ends, 7, "reflect") if reads_layout else first_convolution(*ends, config.normalisation)
        return ResidualTrunk(first, width, *sizes, config.normalisation)

    def forward(self, condition: Condition) -> Translation:
        """Objects look as the condition's latent says of their class, see ``codes``; or as in its style picture; or as
        one of their class's styles, which is drawn.

        Raises InputError as ``encode``, which is always called in training, and for a latent of another length.
        """
        layout = self._layout(condition)
        features = None if self.styles is None else self._features(condition, self.styles)
        return self._translation(condition.size, layout, features)

    def _features(self, condition: Condition, styles: Styles) -> Tensor:
        if condition.latent is not None:
            return painted(styles.by_class(condition.latent), labels_of(condition, self.config.num_labels))
        if condition.style is not None or self.training:
            return self.encode(condition)
        return styles.draw(*labels_and_instances(condition))

    def with_features(self, condition: Condition, features: Tensor) -> Translation:
        """As ``forward``, with ``features`` of one's own choice: B num_features H W in [-1, 1].

        Raises InputError for features of another shape.
        """
        expected = (len(condition), self.config.num_features, *condition.size)
        if tuple(features.shape) != expected:
            raise InputError(f"pix2pixhd: features must be of shape {expected}, got {tuple(features.shape)}")
        return self._translation(condition.size, self._layout(condition), features)

    def _layout(self, condition: Condition) -> Layout:
        config = self.config
        padded = condition.padded(self.size_multiple, 2 * self.size_multiple)
        return Layout.of(padded, config.num_labels, config.image_channels, config.instance_edges)

    def _translation(self, size: tuple[int, int], layout: Layout, features: Tensor | None) -> Translation:
        if features is not None:
            layout = replace(layout, features=(padded_picture(features, self.size_multiple),))
        reduced: list[Tensor] = []
        for _ in range(self.config.num_enhancers):
            larger = reduced[-1] if reduced else layout.planes
            reduced.append(F.avg_pool2d(larger, 3, 2, 1, count_include_pad=False))
        x = None
        for trunk in self.trunks[:-1]:
            x = trunk(reduced.pop(), x)
        x = self.trunks[-1](layout, x)
        return Translation(self.to_picture(x)[:, :, : size[0], : size[1]])

    def encode(self, condition: Condition) -> Tensor:
        """B num_features H W in [-1, 1]: what the encoder finds for each instance in the condition's style picture.

        Raises:
            InputError: no encoder, no instance map, no style picture, or one of another size.
        """
        style, instances = condition.style, condition.instances
        if self.encoder is None or style is None or instances is None:
            raise InputError("pix2pixhd: features need a model with num_features, an instance map and a style picture")
        if tuple(style.shape[-2:]) != condition.size:
            raise InputError(
                f"pix2pixhd: features of objects need a style picture of the condition's (height, width) "
                f"{condition.size}, got {tuple(style.shape[-2:])}"
            )
        return self.encoder(style, instances)  # type: ignore[no-any-return]

    def codes(self, condition: Condition) -> Tensor:
        """How each class looks in the condition's style picture, the mean over its pixels: B num_labels num_features.

        They go from one picture to another by way of the latent, ``codes.flatten(1)``. Raises InputError as ``encode``.
        """
        num_labels = self.config.num_labels
        return class_means(self.encode(condition), one_hot(labels_of(condition, num_labels), num_labels))

    @torch.no_grad()
    def learn_styles(self, conditions: Iterable[Condition]) -> None:
        """Keeps of each class the centres of its objects' features (Sec. 3.4), to draw from where there is no style
        picture.

        Args:
            conditions: the training set's, each with its target as the style picture.

        Raises InputError as ``encode``, and for a condition without a label map.
        """
        if self.styles is None:
            raise InputError("pix2pixhd: a model without num_features has no styles to learn")
        self.styles.learn((*labels_and_instances(condition), self.encode(condition)) for condition in conditions)

    def take_over(self, coarse: Pix2PixHd) -> None:
        """Gives all but the outermost enhancer the weights of a generator of ``coarser``'s configuration, without its
        styles, which are learned after training."""
        self.trunks[:-1].load_state_dict(coarse.trunks.state_dict())
        if self.encoder is not None and coarse.encoder is not None:
            self.encoder.load_state_dict(coarse.encoder.state_dict())

    def enhancer_parameters(self) -> Iterator[nn.Parameter]:
        """What belongs to the outermost local enhancer alone: all that learns while the rest holds still (Sec. 3.2: the
        global generator is trained first, then the enhancer, then both). Raises InputError when there is none."""
        if not self.config.num_enhancers:
            raise InputError("pix2pixhd: a generator without local enhancers has none to train alone")
        yield from self.trunks[-1].parameters()
        yield from self.to_picture.parameters()


def coarser(config: Pix2PixHdConfig) -> Pix2PixHdConfig | None:
    """Of the generator for pictures of half the size that one of ``config`` has inside; None when it has none."""
    if not config.num_enhancers:
        return None
    return replace(config, width=2 * config.width, num_enhancers=config.num_enhancers - 1)


_SOURCE = "https://github.com/NVIDIA/pix2pixHD"
_LICENCE = "CC BY-NC-SA 4.0 or BSD, as stated by the authors of the weights; not distributed with pixelwise"
_COMPARISON = f"as trained with {_SOURCE} for the comparisons of Park et al. and Tan et al.; no weights are published"


def _published(num_labels: int, size: tuple[int, int], source: str, **fields: int | bool) -> Published:
    config = Pix2PixHdConfig(num_labels=num_labels, out_channels=3, **fields)  # type: ignore[arg-type]
    return Published(config, size, source, _LICENCE)


PUBLISHED = {
    "ade20k": _published(151, (256, 256), _COMPARISON),
    "coco_stuff": _published(183, (256, 256), _COMPARISON, instance_edges=True),
    "cityscapes": _published(35, (256, 512), _COMPARISON, instance_edges=True),
    "cityscapes1024x2048": _published(35, (1024, 2048), _SOURCE, instance_edges=True, width=32, num_enhancers=1),
}


def adopt(state_dict: StateDict, config: Pix2PixHdConfig) -> StateDict:
    """Published names to ours; a generator with its encoder comes as one, under the prefixes netG. and netE."""
    if config.norm == "instance":
        state_dict = without_statistics(state_dict)
    adopted = renamed(state_dict, _names(config))
    if config.num_features:
        # Published apart from the weights, if at all.
        sizes = config.num_labels, config.num_styles, config.num_features
        adopted.setdefault("styles.centres", torch.zeros(sizes))
    return adopted


def as_published(state_dict: StateDict, config: Pix2PixHdConfig) -> StateDict:
    """The way back, without what is not published in one file with the weights."""
    weights = {name: tensor for name, tensor in state_dict.items() if name != "styles.centres"}
    return renamed_back(weights, _names(config))


def _names(config: Pix2PixHdConfig) -> Renames:
    theirs, sizes = "netE.model", (config.encoder_num_downsamplings, 0)
    names = [*residual_network(theirs, theirs, "encoder.trunk", "encoder.to_features", *sizes)]
    names += residual_network("model", "model", "trunks.0", "to_picture", config.num_downsamplings, config.num_blocks)
    for number in range(1, config.num_enhancers + 1):
        down, up = f"model{number}_1", f"model{number}_2"
        names += residual_network(down, up, f"trunks.{number}", "to_picture", 1, config.num_enhancer_blocks)
    return names


def _styling(generator: Pix2PixHd) -> Styling | None:
    if (styles := generator.styles) is None:
        return None
    draw = styles.draw_by_class if styles.centres.any() else None
    return Styling(lambda condition: generator.codes(condition).flatten(1), draw, by_class=True)


# The authors weigh feature matching by 4 / (layers + 1) too: by 1 for a discriminator of the published depth.
FAMILY = Family(
    name="pix2pixhd",
    paper="Wang et al., High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs, CVPR 2018",
    config=Pix2PixHdConfig,
    generator=Pix2PixHd,
    # The paper's weights are 10 and 10, but both terms of the discriminators are sums over the three scales (Eq. 5), of
    # which they are means here: so the term that has no scales weighs a third.
    objective=Objective(adversarial="least_squares", feature_matching=10.0, perceptual=10 / 3, kl=0.0),
    discriminator=PIX2PIX_HD,
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    reads_style=lambda config: config.num_features > 0,
    styling=_styling,
    growth=Growth(coarser, Pix2PixHd.take_over, Pix2PixHd.enhancer_parameters),
    learn_styles=Pix2PixHd.learn_styles,
)
