"""SIMS: Qi, Chen, Jia, Koltun, "Semi-parametric Image Synthesis", CVPR 2018.

A picture is composed of pieces of others. A memory bank holds the segments of a training set (``sims_bank``). For each
segment of a layout the most compatible one of its class is found, by shape and context, and aligned with it
(``sims_canvas``); an ordering network says which of them lie in front (``sims_ordering``). What comes of it, a canvas
with holes, becomes a picture in a refinement network: an encoder of canvas and layout, and as its decoder a cascade
that reads the layout again at every size (Chen and Koltun, ICCV 2017). It learns from spoilt canvases of a picture's
own segments (``sims_rehearsal``).

The paper was not at hand, and its code, in Matlab and TensorFlow, was not read: widths, the size of contexts, how wide
borders are elided and how training canvases are spoilt are as the field knows them or chosen here, and its weights
cannot be adopted. Left out: the learned spatial transformer, in whose place segments are shifted and scaled; and
ordering learned from depth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.condition import Condition, PairedSample
from pixelwise.errors import InputError
from pixelwise.labels import check_range, one_hot
from pixelwise.layers.semantics import labels_of
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Family, StateDict, Translation, check_least
from pixelwise.models.memory import Memory
from pixelwise.models.sims_bank import Bank
from pixelwise.models.sims_canvas import Piece, compose
from pixelwise.models.sims_ordering import OrderingNetwork, coverings
from pixelwise.models.sims_rehearsal import rehearse
from pixelwise.models.sims_segments import OUTSIDE, components, cut


@dataclass(frozen=True)
class SimsConfig:
    """The networks, and how a canvas is made.

    Attributes:
        num_labels: channels of the one-hot label map, don't care included; at most 255.
        instance_edges: False: segments are connected parts of a class.
        image_channels: 0: pictures have no segments.
        out_channels: channels of the output and of the bank's pictures.
        width: channels of the refinement network at full resolution; each reduction doubles them.
        max_width: the most it has.
        num_reductions: by 2, from the picture to where the cascade begins.
        ordering_width: channels of the ordering network's first layer.
        elided: pixels on either side of a border between segments that the canvas leaves unknown.
    """

    num_labels: int = 0
    instance_edges: bool = False
    image_channels: int = 0
    out_channels: int = 0
    width: int = 64
    max_width: int = 512
    num_reductions: int = 6
    ordering_width: int = 16
    elided: int = 1

    def __post_init__(self) -> None:
        if self.instance_edges or self.image_channels:
            raise InputError("sims reads label maps alone: it has no use for instance edges or pictures")
        if self.num_labels > OUTSIDE:
            raise InputError(f"sims tells at most {OUTSIDE} classes apart, got num_labels = {self.num_labels}")
        check_least("sims", self, 1, "width", "max_width", "ordering_width")
        if self.num_reductions < 0 or self.elided < 0:
            raise InputError(
                f"sims: num_reductions and elided must be 0 or more, got {self.num_reductions} and {self.elided}"
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels by resolution, fine to coarse."""
        return tuple(min(self.width << level, self.max_width) for level in range(self.num_reductions + 1))


class Sims(nn.Module):
    """The generator: a label map of any size to a picture of the same size.

    The condition's image is the canvas, B out_channels + 1 H W (see ``sims_canvas``), if it is there; without one it is
    composed from the bank.

    Attributes:
        bank: what canvases are composed of, once ``remember`` has been called.

    Raises:
        InputError: a configuration without labels.
    """

    def __init__(self, config: SimsConfig) -> None:
        super().__init__()
        if config.num_labels < 1:
            raise InputError("sims needs label maps, the configuration has num_labels = 0")
        self.config = config
        self.size_multiple = 2**config.num_reductions
        self.bank: Bank | None = None
        self.ordering = OrderingNetwork(config.num_labels, config.ordering_width)
        self.refinement = RefinementNetwork(config)

    def remember(self, bank: Bank) -> None:
        """Draws from ``bank`` from now on. Raises InputError when it has other classes or channels."""
        found = bank.header.labels.num_channels, bank.header.channels
        if found != (self.config.num_labels, self.config.out_channels):
            raise InputError(
                f"{bank.path}: a memory bank of {found[0]} classes and pictures of {found[1]} channels, the model has "
                f"{self.config.num_labels} and {self.config.out_channels}"
            )
        self.bank = bank

    def forward(self, condition: Condition) -> Translation:
        """Raises InputError for labels that are missing or beyond the classes, a canvas of other channels, or neither
        canvas nor bank."""
        labels = labels_of(condition, self.config.num_labels)
        check_range(labels, self.config.num_labels)
        canvas = self.compose(labels) if condition.image is None else condition.image
        if canvas.shape[1] != self.config.out_channels + 1:
            raise InputError(
                f"a canvas has {self.config.out_channels} colours and says where they are known, got "
                f"{canvas.shape[1]} channels"
            )
        padded = replace(condition, image=canvas).padded(self.size_multiple)
        assert padded.labels is not None
        assert padded.image is not None
        image = self.refinement(padded.image, one_hot(padded.labels, self.config.num_labels))
        height, width = condition.size
        return Translation(image[:, :, :height, :width], ordering=self._judged(labels) if self.training else None)

    @torch.no_grad()
    def compose(self, labels: Tensor) -> Tensor:
        """Class indices B H W to canvases B out_channels + 1 H W, on their device, of the bank's segments.

        Raises:
            InputError: there is no bank.
        """
        if self.bank is None:
            raise InputError("this model composes its pictures of a memory bank, which it has not been given")
        canvases = [self._canvas(self.bank, layout) for layout in labels.cpu().numpy()]
        return torch.from_numpy(np.stack(canvases)).to(labels.device)

    def _canvas(self, bank: Bank, labels: np.ndarray) -> np.ndarray:
        size = labels.shape[0], labels.shape[1]
        found = [
            (segment, index) for segment in cut(labels, components(labels)) for index in bank.nearest(segment).tolist()
        ]
        heights = self.ordering([segment for segment, _ in found], size).argsort().tolist() if found else []
        pieces = [Piece.aligned(*bank.look(found[place][1]), found[place][0], size) for place in heights]
        return compose(pieces, size, self.config.out_channels, self.config.elided)

    def _judged(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """What the ordering network thinks of the segments of B H W, and what they show: see ``Translation``."""
        differences, shares = [], []
        for layout in labels.cpu().numpy():
            segments = cut(layout, components(layout))
            if segments:
                pairs, seen = coverings(segments, layout.shape)
                heights = self.ordering(segments, layout.shape)
                differences.append(heights[pairs[:, 0]] - heights[pairs[:, 1]])
                shares.append(torch.from_numpy(seen).to(heights))
        if not differences:
            return labels.new_zeros(0).float(), labels.new_zeros(0).float()
        return torch.cat(differences), torch.cat(shares)


class RefinementNetwork(nn.Module):
    """From canvas and layout to the picture: an encoder, and a cascade of refinement from its coarsest features on.

    At each size the cascade reads its own features of the size below, enlarged, the encoder's, and the layout.
    """

    def __init__(self, config: SimsConfig) -> None:
        super().__init__()
        widths, labels = config.widths, config.num_labels
        before = (config.out_channels + 1 + labels, *widths[:-1])
        self.encoder = nn.ModuleList(_module(*channels) for channels in zip(before, widths, strict=True))
        below = (*widths[1:], 0)
        self.cascade = nn.ModuleList(_module(own + wide + labels, own) for own, wide in zip(widths, below, strict=True))
        self.to_image = nn.Conv2d(widths[0], config.out_channels, 1)

    def forward(self, canvas: Tensor, planes: Tensor) -> Tensor:
        """B C + 1 H W and one-hot labels B K H W to B C H W, not confined to [-1, 1].

        H and W are multiples of 2^num_reductions.
        """
        layouts, skips = [planes], [self.encoder[0](torch.cat([canvas, planes], dim=1))]
        for module in self.encoder[1:]:
            layouts.append(F.avg_pool2d(layouts[-1], 2))
            skips.append(module(F.max_pool2d(skips[-1], 2)))
        x = self.cascade[-1](torch.cat([skips[-1], layouts[-1]], dim=1))
        for level in range(len(skips) - 2, -1, -1):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear")
            x = self.cascade[level](torch.cat([x, skips[level], layouts[level]], dim=1))
        return self.to_image(x)  # type: ignore[no-any-return]


def _module(in_channels: int, channels: int) -> nn.Sequential:
    """Two convolutions, each with layer norm over channels, height and width together, and leaky ReLU."""
    layers: list[nn.Module] = []
    for before in (in_channels, channels):
        convolution = nn.Conv2d(before, channels, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(convolution.weight, 0.2)
        layers += [convolution, nn.GroupNorm(1, channels), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


def adopt(state_dict: StateDict, config: SimsConfig) -> StateDict:
    """Our own names as they are, in either direction: published are TensorFlow's only, of other layers, which are
    refused."""
    return dict(state_dict)


def _rehearse(config: SimsConfig, bank: Bank, sample: PairedSample, random: torch.Generator) -> PairedSample:
    return rehearse(bank, config.elided, sample, random)


FAMILY = Family(
    name="sims",
    paper="Qi et al., Semi-parametric Image Synthesis, CVPR 2018",
    config=SimsConfig,
    generator=Sims,
    # The perceptual loss is CRN's.
    objective=Objective(
        adversarial=None, feature_matching=0.0, perceptual=1.0, kl=0.0, ordering=1.0, perceptual_layers="second"
    ),
    discriminator=None,
    published={},
    adopt=adopt,
    as_published=adopt,
    memory=Memory(open=Bank, give=Sims.remember, refer=Bank.reference, rehearse=_rehearse),
)
