"""Conditional normalisation: features lose their own mean and variance, and get others that the layout says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.layers.layout import Layout, joined
from pixelwise.layers.layout_convolution import LayoutConv2d


class InstanceNorm(nn.InstanceNorm2d):
    """Torch's, which refuses a single place; here it is the zero that subtracting its own mean leaves of it."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.shape[-2:].numel() > 1 else torch.zeros_like(x)


class BatchNorm(nn.BatchNorm2d):
    """Torch's, which in training has no statistics of a single place, says so as an InputError here."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) * x.shape[-2:].numel() == 1:
            raise InputError(
                "batch norm takes its statistics over places, and in training there must be more than one: features "
                "have shrunk to 1 x 1 of a single picture; train with larger crops, or larger batches in each process"
            )
        return super().forward(x)


NORMS: Mapping[str, Callable[[int], nn.Module]] = {
    "batch": lambda channels: BatchNorm(channels, affine=False),
    "instance": InstanceNorm,
}
"""Norms without learned parameters, from the number of channels."""


class Modulation(Protocol):
    """A module from features B C h w, and the layout at h w, to features B out_channels h w."""

    @property
    def out_channels(self) -> int: ...
    def __call__(self, x: Tensor, layout: Layout) -> Tensor: ...


class SpatialModulation(nn.Module):
    """Scale and shift that two convolutions make of the layout, for every place (SPADE: Park et al. 2019, Eq. 1 and 2).

    Args:
        channels: of the features.
        layout_channels: of ``Layout.planes``.
        norm: a name of ``NORMS``.
        kernel_size: of all three convolutions.
        hidden: channels between them.

    Attributes:
        out_channels: as many as ``channels``.
    """

    def __init__(
        self, channels: int, layout_channels: int, norm: str = "batch", kernel_size: int = 3, hidden: int = 128
    ) -> None:
        super().__init__()
        self.out_channels = channels
        self.norm = NORMS[norm](channels)
        self.shared = LayoutConv2d(layout_channels, hidden, kernel_size)
        self.gamma = nn.Conv2d(hidden, channels, kernel_size, padding=kernel_size // 2)
        self.beta = nn.Conv2d(hidden, channels, kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B C h w, and the layout at h w, to B C h w."""
        scale, shift = self.scale_and_shift(layout)
        return torch.addcmul(shift, self.norm(x), scale)

    def scale_and_shift(self, layout: Layout) -> tuple[Tensor, Tensor]:
        """B C h w each, of the layout at h w."""
        hidden = F.relu(self.shared(layout))
        return 1 + self.gamma(hidden), self.beta(hidden)


class ClassModulation(nn.Module):
    """Scale and shift that belong to the class which stands there (CLADE: Tan et al., TPAMI 2021, Sec. 3.2 and 3.4).

    Args:
        channels: of the features.
        num_labels: classes, don't care included.
        norm: a name of ``NORMS``.
        edges: appends the layout's edges, scaled and shifted (Eq. 2), as a channel.
        modulate_by_offsets: scales both by what the layout's offsets say (Eq. 15; "+distp" of Sec. 4.9).
        append_offsets: appends the layout's offsets, after a 1 x 1 convolution, as a channel ("+distf" of Sec. 4.9).

    Attributes:
        out_channels: ``channels`` and what is appended.
    """

    def __init__(
        self,
        channels: int,
        num_labels: int,
        norm: str = "batch",
        edges: bool = False,
        modulate_by_offsets: bool = False,
        append_offsets: bool = False,
    ) -> None:
        super().__init__()
        self.out_channels = channels + edges + append_offsets
        self.norm = NORMS[norm](channels)
        self.gamma = nn.Parameter(torch.ones(num_labels, channels))
        self.beta = nn.Parameter(torch.zeros(num_labels, channels))
        self.of_edges = nn.Conv2d(1, 1, 1) if edges else None
        self.gamma_by_offsets = nn.Conv2d(2, 1, 1) if modulate_by_offsets else None
        self.beta_by_offsets = nn.Conv2d(2, 1, 1) if modulate_by_offsets else None
        self.of_offsets = nn.Conv2d(2, 1, 1) if append_offsets else None

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """B C h w, and the layout at h w, to B out_channels h w. Raises InputError for a layout without labels."""
        scale, shift = self.scale_and_shift(layout)
        features = torch.addcmul(shift, self.norm(x), scale)
        appended = [
            convolution(planes)
            for convolution, planes in ((self.of_edges, layout.edges), (self.of_offsets, layout.offsets))
            if convolution is not None
        ]
        return joined([features, *appended])

    def scale_and_shift(self, layout: Layout) -> tuple[Tensor, Tensor]:
        """B C h w each, of the layout at h w. Raises InputError for a layout without labels."""
        if layout.labels is None:
            raise InputError("modulation by class needs a label map")
        gamma, beta = (F.embedding(layout.labels, table).permute(0, 3, 1, 2) for table in (self.gamma, self.beta))
        if self.gamma_by_offsets is not None and self.beta_by_offsets is not None:
            gamma = gamma * (1 + self.gamma_by_offsets(layout.offsets))
            beta = beta * (1 + self.beta_by_offsets(layout.offsets))
        return gamma, beta
