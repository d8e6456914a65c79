"""CRN: Chen, Koltun, "Photographic Image Synthesis with Cascaded Refinement Networks", ICCV 2017.

Modules refine a picture from a few places up to full resolution: each doubles the resolution and reads, beside the
features of the one before, the layout at its own size. There is no adversary: features of VGG19 are compared (Eq. 1,
losses/perceptual.py). As a layout has many pictures, the network may make several at once, of which only the best has
to be like the target, class by class (Eq. 3 to 5, losses/diversity.py).

The paper itself was not at hand: the layers are those of public notes on it. The loss has its six terms, the picture
itself and five layers of VGG19. They weigh by the inverse of their number of elements, as at the paper's start; after
100 epochs it rescales them so that all count alike, by its authors' answer with the inverse of each one's average. Here
they stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.convolution import init_weights
from pixelwise.layers.published_names import Renames, renamed_back
from pixelwise.layers.semantics import semantic_planes
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, Published, StateDict, Translation, check_least

_WIDTHS = (1024, 1024, 1024, 1024, 1024, 512, 512)
_EPSILON = 1e-12
"""TensorFlow's for layer norm, which published weights were trained with."""


@dataclass(frozen=True)
class CrnConfig:
    """The published options.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; 0 without labels.
        instance_edges: whether the borders of the instance map are an input.
        image_channels: channels of the input picture; 0 without one.
        out_channels: channels of the output.
        widths: channels of each module, coarse to fine. Seven make a picture of 256 x 512 from 4 x 8 places.
        num_variants: "k", pictures that are made of each condition.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    widths: tuple[int, ...] = _WIDTHS
    num_variants: int = 1

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 2:
            # A single channel at a single place would be nothing to normalise over.
            raise InputError(f"crn: widths must be one or more numbers of at least 2, got {self.widths}")
        check_least("crn", self, 1, "num_variants")

    @property
    def in_channels(self) -> int:
        return self.num_labels + self.image_channels + self.instance_edges


class Crn(nn.Module):
    """The generator: ``condition`` of any size to a picture of the same size.

    The first module has as many places as the size asks for: 4 x 8 at the published one.
    """

    def __init__(self, config: CrnConfig) -> None:
        super().__init__()
        self.config = config
        self.size_multiple = 2 ** (len(config.widths) - 1)
        before = (0, *config.widths)
        self.refinements = nn.ModuleList(
            Refinement(config.in_channels + coarse, fine) for coarse, fine in pairwise(before)
        )
        self.to_pictures = nn.Conv2d(config.widths[-1], config.out_channels * config.num_variants, 1)
        init_weights(self, gain=1.0)

    def forward(self, condition: Condition) -> Translation:
        """With several variants, the image is the first. Raises InputError for a condition without what is read."""
        config, (height, width) = self.config, condition.size
        padded = condition.padded(self.size_multiple)
        planes = semantic_planes(padded, config.num_labels, config.image_channels, config.instance_edges)
        pictures = self.to_pictures(self._features(planes))[:, :, :height, :width]
        if config.num_variants == 1:
            return Translation(pictures)
        # As published, all pictures' red comes first.
        variants = pictures.unflatten(1, (config.out_channels, config.num_variants)).transpose(1, 2)
        regions = planes[:, : config.num_labels, :height, :width] if config.num_labels else None
        return Translation(variants[:, 0], variants=variants, regions=regions)

    def _features(self, planes: Tensor) -> Tensor:
        """B in_channels H W to B widths[-1] H W."""
        features: Tensor = self.refinements[0](F.avg_pool2d(planes, self.size_multiple))
        for number, refine in enumerate(self.refinements[1:], start=1):
            layout = F.avg_pool2d(planes, self.size_multiple >> number)
            larger = F.interpolate(features, layout.shape[-2:], mode="bilinear", align_corners=True)
            features = refine(torch.cat([larger, layout], dim=1))
        return features


class Refinement(nn.Sequential):
    """A refinement module: two convolutions, each with layer norm and leaky ReLU.

    Args:
        in_channels: of the layout and of the features of the module before.
        width: channels of the output.
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(*_layer(in_channels, width), *_layer(width, width))


def _layer(in_channels: int, width: int) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
    # All channels as one group: layer norm over height, width and channels together, with scale and shift by channel.
    return [convolution, nn.GroupNorm(1, width, _EPSILON), nn.LeakyReLU(0.2)]


_SOURCE = "https://github.com/CQFio/PhotographicImageSynthesis"
_LICENCE = "as stated by the authors of the weights; not distributed with pixelwise"


def _published(widths: tuple[int, ...]) -> Published:
    """For the 19 classes that are evaluated, and one for all others."""
    rows = 4 * 2 ** (len(widths) - 1)
    return Published(CrnConfig(num_labels=20, out_channels=3, widths=widths), (rows, 2 * rows), _SOURCE, _LICENCE)


PUBLISHED = {
    "cityscapes256x512": _published(_WIDTHS),
    "cityscapes512x1024": _published((*_WIDTHS, 128)),
    "cityscapes1024x2048": _published((*_WIDTHS, 128, 32)),
}

_OPTIMISERS_OWN = re.compile(r".*/Adam(_1)?|beta[12]_power")


def adopt(state_dict: StateDict, config: CrnConfig) -> StateDict:
    """Published names to ours: the variables of a TensorFlow checkpoint by name, in one ``.npz``.

    Names tell a module by its rows at the published size: ``g_4_conv1/weights`` of the first, ``g_8_conv1/weights`` of
    the next. Kernels are H W in out. What the optimiser kept is left out.
    """
    names = dict(_names(config))
    plain = {name.removesuffix(":0"): tensor for name, tensor in state_dict.items()}
    return {
        names.get(name, name): tensor.permute(3, 2, 0, 1) if name in names and tensor.ndim == 4 else tensor
        for name, tensor in plain.items()
        if not _OPTIMISERS_OWN.fullmatch(name)
    }


def as_published(state_dict: StateDict, config: CrnConfig) -> StateDict:
    """The way back, kernels too."""
    kernels = {name: tensor.permute(2, 3, 1, 0) if tensor.ndim == 4 else tensor for name, tensor in state_dict.items()}
    return renamed_back(kernels, _names(config))


def _names(config: CrnConfig) -> Renames:
    last = len(config.widths) - 1
    names = [
        (f"g_{4 << last}_conv100/weights", "to_pictures.weight"),
        (f"g_{4 << last}_conv100/biases", "to_pictures.bias"),
    ]
    for module in range(last + 1):
        for convolution, place in (("conv1", 0), ("conv2", 3)):
            theirs, ours = f"g_{4 << module}_{convolution}", f"refinements.{module}"
            names += [
                (f"{theirs}/weights", f"{ours}.{place}.weight"),
                (f"{theirs}/LayerNorm/gamma", f"{ours}.{place + 1}.weight"),
                (f"{theirs}/LayerNorm/beta", f"{ours}.{place + 1}.bias"),
            ]
    return names


FAMILY = Family(
    name="crn",
    paper="Chen and Koltun, Photographic Image Synthesis with Cascaded Refinement Networks, ICCV 2017",
    config=CrnConfig,
    generator=Crn,
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=1.0, kl=0.0, perceptual_layers="second"),
    discriminator=None,
    published=PUBLISHED,
    adopt=adopt,
    as_published=as_published,
    num_variants=lambda config: config.num_variants,
)
