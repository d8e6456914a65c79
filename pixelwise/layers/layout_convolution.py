"""Convolutions over a layout. Of one-hot planes a convolution makes sums of rows of its weights, and to gather these is
many times as fast as to multiply by zeros and ones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.layers.layout import Layout


class LayoutConv2d(nn.Module):
    """A square convolution over a layout's planes, beyond which there are zeros. Parameters bear nn.Conv2d's names.

    Args:
        layout_channels: of ``Layout.planes``.
        out_channels: at least 1.
        kernel_size: side of the kernel in pixels, odd.
    """

    def __init__(self, layout_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        # nn.Conv2d's own initial values.
        plain = nn.Conv2d(layout_channels, out_channels, kernel_size)
        assert plain.bias is not None
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, layout: Layout) -> Tensor:
        """The layout's planes, B layout_channels H W, to B out_channels H W."""
        return F.conv2d(layout.planes, self.weight, self.bias, padding=self.weight.shape[-1] // 2)

    def extra_repr(self) -> str:
        out_channels, layout_channels, kernel_size, _ = self.weight.shape
        return f"{layout_channels}, {out_channels}, {kernel_size=}"


class GatheredConv2d(nn.Module):
    """``LayoutConv2d`` for inference: the labels' part is gathered, all other planes are convolved.

    Args:
        convolution: whose weights are copied for the labels, and shared for the rest.
    """

    rows: Tensor

    def __init__(self, convolution: LayoutConv2d) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self.register_buffer("rows", _rows(self.weight, self.bias), persistent=False)

    def forward(self, layout: Layout) -> Tensor:
        """As ``LayoutConv2d``; labels are less than the layout's ``num_labels``, which is not checked."""
        padding = self.weight.shape[-1] // 2
        if layout.labels is None:
            return F.conv2d(layout.planes, self.weight, self.bias, padding=padding)
        gathered = self._gather(layout.labels)
        if layout.other_planes is None:
            return gathered
        return gathered + F.conv2d(layout.other_planes, self.weight[:, layout.num_labels :], padding=padding)

    def _gather(self, labels: Tensor) -> Tensor:
        """B H W to B out_channels H W, which lies in memory as gathered: channels last."""
        _, channels, side, _ = self.weight.shape
        padded = F.pad(labels.int(), [side // 2] * 4, value=channels)
        first_rows = torch.arange(0, len(self.rows), channels + 1, dtype=torch.int32, device=labels.device)
        height, width = labels.shape[1:]
        taps = [
            padded[:, row : row + height, column : column + width] + first_rows[row * side + column]
            for row in range(side)
            for column in range(side)
        ]
        sums: Tensor = F.embedding_bag(torch.stack(taps, dim=-1).flatten(0, 2), self.rows, mode="sum")
        return sums.view(*labels.shape, -1).movedim(-1, 1)


@torch.no_grad()
def _rows(weight: Tensor, bias: Tensor) -> Tensor:
    """What each channel adds to all outputs by each tap, then zeros for places beyond the border: tap by tap.

    The bias is in the centre's rows, since every place is the centre of one window.
    """
    rows = weight.permute(2, 3, 1, 0).flatten(0, 1).clone(memory_format=torch.contiguous_format)
    rows[len(rows) // 2] += bias
    return F.pad(rows, (0, 0, 0, 1)).flatten(0, 1)
