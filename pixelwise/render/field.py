"""A field of pixelwise MLPs.

Shape letters of this folder: B batch; H W pixels; h w cells; S pixels on a cell's side; P parameters of one MLP;
I O inputs and outputs of a layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor


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
class PixelwiseField:
    """One MLP for every cell of the image: phi of Eq. 2, explicit, so that it can be rendered whole or in parts.

    Attributes:
        parameters: B P h w. Those of several passes, one after the other, are several fields together: see ``of_pass``.
        mlp: what the P numbers mean.
        cell: S, pixels on a cell's side. The first cell begins at the image's top left pixel.
        bilinear: parameters are interpolated between the centres of the cells and constant beyond the outermost
            centres; otherwise every pixel takes its own cell's (the paper's choice: nearest).
        pixel_code: whether the MLP also reads the code of the pixel's position (Sec. 3.3).
        first_cell: (row, column) of the first cell, in cells of the whole image, when this field is a part. With
            bilinear parameters a part needs one more cell on each side than it is rendered on, except at the border.
    """

    parameters: Tensor
    mlp: PixelMlp
    cell: int
    bilinear: bool = False
    pixel_code: bool = True
    first_cell: tuple[int, int] = (0, 0)

    @property
    def num_passes(self) -> int:
        return self.parameters.shape[1] // self.mlp.num_parameters

    def of_pass(self, number: int) -> PixelwiseField:
        """The field of one pass, counted from 0, which can be rendered."""
        first = number * self.mlp.num_parameters
        return replace(self, parameters=self.parameters[:, first : first + self.mlp.num_parameters])


def code_periods(cell: int) -> list[float]:
    """Periods of the pixel code in pixels, longest first: S, S/2, … down to 2 (Sec. 3.3), so all of them divide S."""
    return [cell / 2**halvings for halvings in range(cell.bit_length() - 1)]


def num_code_channels(cell: int) -> int:
    return 4 * len(code_periods(cell))
