"""PAN: Wang, Xu, Wang, Tao, "Perceptual Adversarial Networks for Image-to-Image Transformation", IEEE Transactions on
Image Processing 2018.

A perceptual loss usually compares by a network that was trained for something else. Here that is the discriminator:
its hidden layers measure how far a picture is from the target, which the image transformation network makes less and
the discriminator more, up to a margin (losses/perceptual_adversarial.py). So the comparison moves on to what is wrong
still.

The paper itself was not at hand: public accounts of it agree on the form of the losses and on what the layers are; how
large they are, the loss's weights and the margin are from memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.discriminators.perceptual import PerceptualDiscriminatorConfig
from pixelwise.layers.convolution import init_gaussian_weights
from pixelwise.layers.semantics import semantic_planes
from pixelwise.losses.objective import Objective
from pixelwise.losses.perceptual_adversarial import PerceptualAdversarialLoss
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least

_WIDEST = 8
"""The most channels, in units of ``width``."""


@dataclass(frozen=True)
class PanConfig:
    """The options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels. The paper reads label maps
            as pictures.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        width: channels at full resolution; each reduction doubles them, up to 8 times as many.
        num_downsamplings: reductions by 2.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    num_downsamplings: int = 7

    def __post_init__(self) -> None:
        check_least("pan", self, 1, "width", "num_downsamplings")

    @property
    def in_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges


class Pan(nn.Module):
    """The image transformation network: ``condition`` of any size to a picture of the same size.

    An encoder and a decoder; what the encoder finds at each resolution skips over all that lies below it.
    """

    def __init__(self, config: PanConfig) -> None:
        super().__init__()
        self.config = config
        self.size_multiple = 2**config.num_downsamplings
        widths = [config.width * min(2**level, _WIDEST) for level in range(config.num_downsamplings + 1)]
        innermost = config.num_downsamplings - 1
        self.entry = nn.Sequential(nn.Conv2d(config.in_channels, widths[0], 3, padding=1), nn.LeakyReLU(0.2))
        # The innermost level has no norm, which might be over a single place.
        self.down = nn.ModuleList(
            _down(wide, deep, norm=level < innermost) for level, (wide, deep) in enumerate(pairwise(widths))
        )
        self.up = nn.ModuleList(
            _up(deep if level == innermost else 2 * deep, wide) for level, (wide, deep) in enumerate(pairwise(widths))
        )
        self.to_picture = nn.Sequential(nn.Conv2d(2 * widths[0], config.out_channels, 3, padding=1), nn.Tanh())
        init_gaussian_weights(self)

    def forward(self, condition: Condition) -> Translation:
        """Raises InputError for a condition without what the configuration reads."""
        config, (height, width) = self.config, condition.size
        padded = condition.padded(self.size_multiple)
        planes = semantic_planes(padded, config.num_labels, config.image_channels, config.instance_edges)
        return Translation(self._picture(planes)[:, :, :height, :width])

    def _picture(self, planes: Tensor) -> Tensor:
        x, found = self.entry(planes), []
        for down in self.down:
            found.append(x)
            x = down(x)
        for up in reversed(self.up):
            x = torch.cat([up(x), found.pop()], dim=1)
        return self.to_picture(x)  # type: ignore[no-any-return]


def _down(in_channels: int, out_channels: int, norm: bool) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=not norm)
    norms = [nn.BatchNorm2d(out_channels)] if norm else []
    return nn.Sequential(convolution, *norms, nn.LeakyReLU(0.2))


def _up(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU())


_SOURCE = "the paper, https://arxiv.org/abs/1706.09138; no weights are known to be published"

PUBLISHED = {
    name: Published(PanConfig(image_channels=3, out_channels=3), (256, 256), _SOURCE, licence="")
    for name in ("facades", "cityscapes", "maps")
}
"""All of one configuration."""


def adopt(state_dict: StateDict, config: PanConfig) -> StateDict:
    """As they are, in either direction: no weights are known to be published, so there are no names but ours."""
    return state_dict


FAMILY = Family(
    name="pan",
    paper="Wang et al., Perceptual Adversarial Networks for Image-to-Image Transformation, TIP 2018",
    config=PanConfig,
    generator=Pan,
    objective=Objective(
        adversarial="cross_entropy",
        feature_matching=0.0,
        perceptual=0.0,
        kl=0.0,
        perceptual_adversarial=PerceptualAdversarialLoss(layer_weights=(5.0, 1.5, 1.5, 5.0), margin=20.0),
    ),
    discriminator=PerceptualDiscriminatorConfig(),
    published=PUBLISHED,
    adopt=adopt,
    as_published=adopt,
)
