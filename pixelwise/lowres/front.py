"""The front of ASAP-Net's low-resolution stream: tent reduction and first convolution (Sec. 3.2).

The definition convolves one plane per label, of which at every pixel all but a few are zero. Compiled, the convolution
gathers the weights of the labels that are there instead; see native/kernels/front.h. By torch, it convolves the planes
of the labels that are somewhere in the picture.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.activations import CellMoments, Convolved
from pixelwise.lowres.band import Band, convolved_band, parts_of, rows_convolved
from pixelwise.lowres.blocks import Block, Norm
from pixelwise.lowres.measured import Measured
from pixelwise.lowres.padding import check_padding, column_sources, padded, row_sources
from pixelwise.lowres.reduction import PresentPlanes, Reduction, SparsePlanes, rows_read
from pixelwise.lowres.room import Room
from pixelwise.native import library

_MOST_ROWS_PER_ITEM = 16
_ITEMS = 64
"""Into how many items of work a picture is cut if its rows are no more than that each."""


class Front:
    """Labels and float planes at full size to the stream's first features.

    Args:
        block: the convolution, of channels L + C, with its norm; float32 on the CPU.
        num_labels: L, at most 256; 0 without labels.
        stride: S1, the reduction by the tent filter: 1 or even.
        native: by the compiled kernels, which need ``library.missing() is None``; otherwise by torch.
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.

    Attributes:
        reduction: the tent filter.
        norm: the block's, left to whoever reads what a call makes.

    Raises:
        InputError: no such stride, or labels that are more than 256 or than the channels.
    """

    def __init__(
        self, block: Block, num_labels: int, stride: int, native: bool = True, instruction_set: str | None = None
    ) -> None:
        num_planes = block.weight.shape[1] - num_labels
        if num_planes < 0:
            raise InputError(f"a convolution of {block.weight.shape[1]} channels cannot read {num_labels} labels")
        self.reduction = Reduction(stride, num_labels, num_planes, native, instruction_set)
        self.norm = Norm.of(block, len(block.weight))
        # Typed loosely: each reads what a reduction of its own kind makes.
        self._convolution: Any = _SparseConvolution(block, instruction_set) if native else _PresentConvolution(block)

    def __call__(
        self, labels: Tensor | None, planes: Tensor | None, band: Band | None = None, room: Room | None = None
    ) -> Convolved:
        """The features B h w O of whole pictures or a band of one, ahead of their norm and ReLU; without gradients.

        Args:
            labels: B H W integers in 0..L - 1, of all rows or, with a band, those at hand; None without.
            planes: B C H W float, of the same rows: the channels of the image, then the edges; None without.
            band: of features, from rows of the picture; B = 1. None for whole pictures.
            room: of the pass that this is a part of, see ``Convolved``; None for a pass of its own.

        Raises:
            InputError: labels or planes do not fit, the band cannot be made of these rows, or the picture is smaller
                than the stride or than its padding needs.
        """
        room = Room() if room is None else room
        if band is None:
            reduced = self.reduction(labels, planes)
        else:
            height = band.height // self.reduction.stride
            needed = rows_convolved(band.wanted, 1, height)
            reduced = self.reduction(labels, planes, Band(needed, band.top, band.height))
            band = Band(band.wanted, needed.start, height)
        convolved: Convolved = self._convolution(reduced, room, band)
        return convolved

    def rows_read(self, wanted: range, height: int) -> range:
        """Which of a picture's ``height`` rows the ``wanted`` rows of features are made of."""
        return rows_read(rows_convolved(wanted, 1, height // self.reduction.stride), self.reduction.stride, height)


class _FrontJob(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        *[(name, ctypes.c_void_p) for name in ("entries", "starts", "ends", "repeats", "rows", "columns", "weights")],
        *[(name, ctypes.c_int64) for name in ("height", "width", "channels", "outputs", "padded_outputs")],
        ("rows_per_item", ctypes.c_int64),
        *[(name, ctypes.c_void_p) for name in ("statistics", "out")],
        ("out_of_memory", ctypes.c_int32),
    ]


class _SparseConvolution:
    """A convolution that gathers its weights by the entries of sparse planes."""

    def __init__(self, block: Block, instruction_set: str | None) -> None:
        self._num_outputs, self._num_channels = block.weight.shape[:2]
        self._padding = block.padding
        weights = block.weight.detach().permute(2, 3, 1, 0)
        self._weights = F.pad(weights, (0, -self._num_outputs % library.LANES)).contiguous()
        self._convolve = library.kernel("front", instruction_set)
        self._instruction_set = instruction_set

    def __call__(self, planes: SparsePlanes, room: Room, band: Band | None) -> Convolved:
        batch, at_hand, width = planes.repeats.shape
        band = convolved_band(band, batch, at_hand, 1)
        check_padding(band.height, width, self._padding)
        height = len(band.wanted)
        rows_per_item = min(_MOST_ROWS_PER_ITEM, math.ceil(height / _ITEMS))
        counts = self._weights.new_full((math.ceil(height / rows_per_item),), rows_per_item * width)
        counts[-1] -= (len(counts) * rows_per_item - height) * width
        out = room.layer(batch, height, width, self._num_outputs)
        statistics = self._weights.new_empty(batch, len(counts), 2, self._weights.shape[-1])
        rows, columns = row_sources(band, 1, self._padding), column_sources(width, self._padding)
        inputs = (planes.entries, planes.starts, planes.ends, planes.repeats, rows, columns, self._weights)
        job = _FrontJob(
            library.Work(0, batch * len(counts)),
            *(tensor.data_ptr() for tensor in inputs),
            height=height,
            width=width,
            channels=self._num_channels,
            outputs=self._num_outputs,
            padded_outputs=self._weights.shape[-1],
            rows_per_item=rows_per_item,
            statistics=statistics.data_ptr(),
            out=out.data_ptr(),
        )
        scarce = "there is not enough memory for the stream's first convolution"
        room.run(self._convolve, job, *inputs, statistics, out, scarce=scarce)
        return Convolved(out, Measured(statistics, counts, self._num_outputs, room, self._instruction_set))


class _PresentConvolution:
    """A convolution of which only the weights of channels that are there are used, by torch."""

    def __init__(self, block: Block) -> None:
        self._weight, self._padding = block.weight.detach(), block.padding

    @torch.no_grad()
    def __call__(self, planes: PresentPlanes, room: Room, band: Band | None) -> Convolved:
        batch, _, at_hand, width = planes.planes.shape
        band = convolved_band(band, batch, at_hand, 1)
        check_padding(band.height, width, self._padding)
        weight = self._weight[:, planes.channels].contiguous(memory_format=torch.channels_last)
        cells = weight.new_empty(batch, len(band.wanted), width, len(weight))
        for part in parts_of(band.wanted, 4 * batch * width * len(weight)):
            read = rows_convolved(part, 1, band.height)
            rows = planes.planes[:, :, read.start - band.top : read.stop - band.top]
            x = padded(rows, Band(part, read.start, band.height), 1, self._padding)
            made = F.conv2d(x.contiguous(memory_format=torch.channels_last), weight)
            first = part.start - band.wanted.start
            cells[:, first : first + len(part)] = made.permute(0, 2, 3, 1)
        return Convolved(cells, CellMoments(cells))
