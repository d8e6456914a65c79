"""Any of the stream's convolutions by torch's own: of other shapes than the compiled ones, or without a compiler."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from pixelwise.lowres.activations import Activations, CellMoments, Convolved
from pixelwise.lowres.band import Band, convolved_band, parts_of, rows_convolved
from pixelwise.lowres.padding import check_padding, padded
from pixelwise.lowres.room import Room


class PlainConvolution:
    """A 3 x 3 convolution, or a depthwise one and a 1 x 1 convolution.

    Args:
        weights: O I 3 3; or I 1 3 3, then O I 1 1. float32.
        padding: "zeros", "reflect" or "replicate".
        stride: of the 3 x 3 convolution.
    """

    def __init__(self, weights: Sequence[Tensor], padding: str, stride: int) -> None:
        self._first, *self._others = weights
        self.inputs, self.outputs = weights[-1].shape[1], len(weights[-1])
        self._groups = self.inputs // self._first.shape[1]
        self._padding, self._stride = padding, stride

    def __call__(self, x: Activations, room: Room, band: Band | None = None) -> Convolved:
        """The cells of whole pictures, or of a band of one.

        Raises:
            InputError: a reflection in a grid of a single row or column, or a band that cannot be made of ``x``.
        """
        room.finish()
        pictures, at_hand, width, _ = x.cells.shape
        band = convolved_band(band, pictures, at_hand, self._stride)
        check_padding(band.height, width, self._padding)
        made_width = -(-width // self._stride)
        cells = x.cells.new_empty(pictures, len(band.wanted), made_width, self.outputs)
        for part in parts_of(band.wanted, 4 * pictures * width * self.inputs * self._stride):
            read = rows_convolved(part, self._stride, band.height)
            rows = x.rows(slice(read.start - band.top, read.stop - band.top))
            first = part.start - band.wanted.start
            cells[:, first : first + len(part)] = self._convolved(rows, Band(part, read.start, band.height))
        return Convolved(cells, CellMoments(cells))

    def _convolved(self, x: Activations, band: Band) -> Tensor:
        """B n w O."""
        # Channels last, torch would add up in an order that rounds twice as much.
        values = padded(x.values().permute(0, 3, 1, 2), band, self._stride, self._padding).contiguous()
        made = F.conv2d(values, self._first, stride=self._stride, groups=self._groups)
        for weight in self._others:
            made = F.conv2d(made, weight)
        return made.permute(0, 2, 3, 1)
