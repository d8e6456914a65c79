"""A field of pixelwise MLPs, and the guide that it reads.

Shape letters of this folder: B batch; H W pixels; h w cells; S pixels on a cell's side; P parameters of one MLP;
I O inputs and outputs of a layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.labels import one_hot


@dataclass(frozen=True)
class PixelMlp:
    """The architecture that all MLPs of a field share: f of Eq. 1.

    Attributes:
        widths: inputs, hidden units …, outputs: one number more than there are layers.
        negative_slope: of the leaky ReLU between layers. The paper says ReLU, the published weights mean 0.01.
        tanh: whether the last layer's output passes through tanh.

    A parameter vector holds the layers one after the other, each as its O biases, then its I x O weights with the input
    index major.
    """

    widths: tuple[int, ...]
    negative_slope: float = 0.01
    tanh: bool = True

    @property
    def num_layers(self) -> int:
        return len(self.widths) - 1

    @property
    def num_parameters(self) -> int:
        return sum(outputs * (inputs + 1) for inputs, outputs in pairwise(self.widths))

    def layers(self, parameters: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Parameter vectors (..., P) as the layers' biases (..., O) and weights (..., I, O), views where possible."""
        sizes = [size for inputs, outputs in pairwise(self.widths) for size in (outputs, inputs * outputs)]
        parts = torch.split(parameters, sizes, dim=-1)
        return [
            (bias, weight.unflatten(-1, widths))
            for bias, weight, widths in zip(parts[::2], parts[1::2], pairwise(self.widths), strict=True)
        ]


@dataclass(frozen=True)
class Guide:
    """What the MLP of a pixel reads of the full-resolution input, besides the pixel code.

    Attributes:
        labels: B H W class indices, read as one-hot planes; or None.
        num_labels: number of those planes.
        image: B C H W, read as it is, after the labels; or None.
        neighbourhood: k, odd: a pixel reads the k x k pixels around it, row by row, instead of itself alone. Beyond the
            image the border is repeated. k = 1 is the paper's.
    """

    labels: Tensor | None
    num_labels: int
    image: Tensor | None
    neighbourhood: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        plane = self.image if self.labels is None else self.labels
        assert plane is not None, "a guide has labels, an image, or both"
        return plane.shape[-2], plane.shape[-1]

    def planes(self) -> Tensor:
        """One pixel's own features, before neighbourhoods: B (num_labels + C) H W."""
        planes = [] if self.labels is None else [one_hot(self.labels, self.num_labels)]
        return torch.cat([*planes, *([] if self.image is None else [self.image])], dim=1)

    @property
    def num_channels(self) -> int:
        """Inputs per pixel, neighbourhood included, pixel code not."""
        image_channels = 0 if self.image is None else self.image.shape[1]
        labels = 0 if self.labels is None else self.num_labels
        return self.neighbourhood**2 * (labels + image_channels)


@dataclass(frozen=True)
class PixelwiseField:
    """One MLP for every cell of the image: phi of Eq. 2, explicit, so that it can be rendered whole or in parts.

    Attributes:
        parameters: B P h w.
        mlp: what the P numbers mean.
        cell: S, pixels on a cell's side. The first cell begins at the image's top left pixel.
        bilinear: parameters are interpolated between the centres of the cells and constant beyond the outermost
            centres; otherwise every pixel takes its own cell's (the paper's choice: nearest).
        pixel_code: whether the MLP also reads the code of the pixel's position (Sec. 3.3).
    """

    parameters: Tensor
    mlp: PixelMlp
    cell: int
    bilinear: bool = False
    pixel_code: bool = True

    def check(self, guide: Guide) -> None:
        """Raises InputError unless the guide fits: covered by the cells, with the channels that the MLP reads."""
        height, width = (cells * self.cell for cells in self.parameters.shape[-2:])
        if guide.size[0] > height or guide.size[1] > width:
            raise InputError(f"a guide of {guide.size} pixels is larger than its field of {(height, width)}")
        channels = guide.num_channels + (num_code_channels(self.cell) if self.pixel_code else 0)
        if channels != self.mlp.widths[0]:
            raise InputError(f"guide and pixel code have {channels} channels, the MLP reads {self.mlp.widths[0]}")
        if self.parameters.shape[1] != self.mlp.num_parameters:
            raise InputError(f"{self.parameters.shape[1]} parameters per cell, the MLP has {self.mlp.num_parameters}")


def code_periods(cell: int) -> list[float]:
    """Periods of the pixel code in pixels, longest first: S, S/2, … down to 2 (Sec. 3.3), so all of them divide S."""
    return [cell / 2**halvings for halvings in range(cell.bit_length() - 1)]


def num_code_channels(cell: int) -> int:
    return 4 * len(code_periods(cell))


def pixel_code(y: Tensor, x: Tensor, cell: int) -> Tensor:
    """Periodic code of pixel positions (Sec. 3.3).

    Args:
        y: H row coordinates in pixels.
        x: W column coordinates in pixels.
        cell: S.

    Returns:
        C H W: for each period, longest first, cos x, sin x, cos y, sin y.
    """
    channels = []
    for period in code_periods(cell):
        for coordinates, shape in ((x, (1, len(x))), (y, (len(y), 1))):
            # Reduced to one period first: far from the origin float32 would lose the phase.
            phase = 2 * torch.pi * coordinates.remainder(period) / period
            channels += [wave(phase).view(shape).expand(len(y), len(x)) for wave in (torch.cos, torch.sin)]
    return torch.stack(channels) if channels else y.new_zeros(0, len(y), len(x))
