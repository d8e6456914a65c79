"""Convolutions over a layout. Of one-hot planes a convolution makes sums of rows of its weights, and to gather these is
many times as fast as to multiply by zeros and ones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.layers.layout import Layout

_ROWS_AT_ONCE = 1 << 22
"""Rows of weights that are gathered by one call: their indices, 4 bytes each, are held all at a time."""


class LayoutConv2d(nn.Module):
    """A square convolution over a layout's planes. Parameters bear nn.Conv2d's names.

    Args:
        layout_channels: of ``Layout.planes``.
        out_channels: at least 1.
        kernel_size: side of the kernel in pixels, odd.
        padding_mode: what lies beyond the border, as F.pad calls it: "constant", zeros, or "reflect", for which a
            layout has more rows and columns than half the kernel.
    """

    def __init__(
        self, layout_channels: int, out_channels: int, kernel_size: int, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        self.padding_mode = padding_mode
        # nn.Conv2d's own initial values.
        plain = nn.Conv2d(layout_channels, out_channels, kernel_size)
        assert plain.bias is not None
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, layout: Layout) -> Tensor:
        """The layout's planes, B layout_channels H W, to B out_channels H W."""
        return _convolved(layout.planes, self.weight, self.bias, self.padding_mode)

    def extra_repr(self) -> str:
        out_channels, layout_channels, kernel_size, _ = self.weight.shape
        return f"{layout_channels}, {out_channels}, {kernel_size=}, padding_mode={self.padding_mode!r}"


class GatheredConv2d(nn.Module):
    """``LayoutConv2d`` for inference: the labels' part is gathered, all other planes are convolved.

    Args:
        convolution: whose weights are copied for the labels, and shared for the rest.
    """

    rows: Tensor

    def __init__(self, convolution: LayoutConv2d) -> None:
        super().__init__()
        self.weight, self.bias, self.padding_mode = convolution.weight, convolution.bias, convolution.padding_mode
        self.register_buffer("rows", _rows(self.weight, self.bias), persistent=False)

    def forward(self, layout: Layout) -> Tensor:
        """As ``LayoutConv2d``; labels are less than the layout's ``num_labels``, which is not checked."""
        if layout.labels is None:
            return _convolved(layout.planes, self.weight, self.bias, self.padding_mode)
        gathered = self._gather(layout.labels)
        if layout.other_planes is None:
            return gathered
        weight = self.weight[:, layout.num_labels :]
        return gathered + _convolved(layout.other_planes, weight, None, self.padding_mode)

    def _gather(self, labels: Tensor) -> Tensor:
        """B H W to B out_channels H W, which lies in memory as gathered: channels last."""
        out_channels, _, side, _ = self.weight.shape
        padded = self._padded(labels)
        num_rows = max(1, _ROWS_AT_ONCE // (len(labels) * labels.shape[2] * side**2))
        sums = self.rows.new_empty(*labels.shape, out_channels)
        for top in range(0, labels.shape[1], num_rows):
            band = sums[:, top : top + num_rows]
            taps = self._taps(padded[:, top : top + band.shape[1] + side - 1])
            band[:] = F.embedding_bag(taps.flatten(0, 2), self.rows, mode="sum").view(band.shape)
        return sums.movedim(-1, 1)

    def _padded(self, labels: Tensor) -> Tensor:
        """B H W int32 with half a kernel around it."""
        _, channels, side, _ = self.weight.shape
        around = [side // 2] * 4
        if self.padding_mode == "constant":
            return F.pad(labels.int(), around, value=channels)
        # F.pad reflects floats only.
        return F.pad(labels[:, None].float(), around, self.padding_mode)[:, 0].int()

    def _taps(self, labels: Tensor) -> Tensor:
        """The padded labels of a band to the rows of each of its places: B H W side²."""
        _, channels, side, _ = self.weight.shape
        height, width = (size - side + 1 for size in labels.shape[1:])
        taps = [
            labels[:, row : row + height, column : column + width] + (row * side + column) * (channels + 1)
            for row in range(side)
            for column in range(side)
        ]
        return torch.stack(taps, dim=-1)


def _convolved(planes: Tensor, weight: Tensor, bias: Tensor | None, padding_mode: str) -> Tensor:
    padding = weight.shape[-1] // 2
    if padding_mode == "constant":
        return F.conv2d(planes, weight, bias, padding=padding)
    return F.conv2d(F.pad(planes, [padding] * 4, padding_mode), weight, bias)


@torch.no_grad()
def _rows(weight: Tensor, bias: Tensor) -> Tensor:
    """What each channel adds to all outputs by each tap, then zeros for places beyond the border: tap by tap.

    The bias is in the centre's rows, since every place is the centre of one window.
    """
    rows = weight.permute(2, 3, 1, 0).flatten(0, 1).clone(memory_format=torch.contiguous_format)
    rows[len(rows) // 2] += bias
    return F.pad(rows, (0, 0, 0, 1)).flatten(0, 1)
