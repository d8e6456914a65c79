"""The front of ASAP-Net's low-resolution stream: tent reduction and first convolution, norm and ReLU (Sec. 3.2).

The definition convolves one plane per label, of which at every pixel all but a few are zero. Compiled, the convolution
gathers the weights of the labels that are there instead; see native/kernels/front.h. By torch, it convolves the planes
of the labels that are somewhere in the picture.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.activations import Convolved, moments, moments_of
from pixelwise.lowres.band import Band, convolved_band, parts_of, rows_convolved
from pixelwise.lowres.blocks import Block, Norm
from pixelwise.lowres.padding import check_padding, column_sources, padded, row_sources
from pixelwise.lowres.reduction import PresentPlanes, Reduction, SparsePlanes, rows_read
from pixelwise.native import library

_LANES = 16
"""Outputs come in whole vectors, the longest of which have so many numbers."""

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
        norm: the block's, for what ``rows`` makes.

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

    def __call__(self, labels: Tensor | None, planes: Tensor | None, out: Tensor | None = None) -> Tensor:
        """The features of whole pictures.

        Args:
            labels: B H W integers in 0..L - 1; None without.
            planes: B C H W float: the channels of the image, then the edges; None without.
            out: what to fill and return. Memory that was used before spares the system the clearing of new pages,
                which may take longer than all the rest. None for new memory.

        Returns:
            B O H/S1 W/S1 float32 in channels_last, without gradients.

        Raises:
            InputError: labels, planes or ``out`` do not fit, or the picture is smaller than the stride or than its
                padding needs.
        """
        features: Tensor = self._convolution(self.reduction(labels, planes), out)
        return features

    def rows_read(self, wanted: range, height: int) -> range:
        """Which of a picture's ``height`` rows the ``wanted`` rows of features are made of."""
        return rows_read(rows_convolved(wanted, 1, height // self.reduction.stride), self.reduction.stride, height)

    def rows(self, labels: Tensor | None, planes: Tensor | None, band: Band) -> Convolved:
        """A band of one picture's features, ahead of their norm and ReLU.

        Args:
            labels, planes: the rows at hand, as for a call; B = 1.
            band: of features, from rows of the picture.

        Raises:
            InputError: as for a call, or the band cannot be made of these rows.
        """
        height = band.height // self.reduction.stride
        reduced = rows_convolved(band.wanted, 1, height)
        planes_at_hand = self.reduction(labels, planes, Band(reduced, band.top, band.height))
        convolved: Convolved = self._convolution.rows(planes_at_hand, Band(band.wanted, reduced.start, height))
        return convolved


class _FrontJob(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        *[(name, ctypes.c_void_p) for name in ("entries", "starts", "ends", "repeats", "rows", "columns", "weights")],
        *[(name, ctypes.c_int64) for name in ("height", "width", "channels", "outputs", "padded_outputs")],
        ("rows_per_item", ctypes.c_int64),
        *[(name, ctypes.c_void_p) for name in ("scales", "shifts", "statistics", "out")],
        ("least", ctypes.c_float),
        ("out_of_memory", ctypes.c_int32),
    ]


class _SparseConvolution:
    """A block whose convolution gathers its weights by the entries of sparse planes."""

    def __init__(self, block: Block, instruction_set: str | None) -> None:
        self._num_outputs, self._num_channels = block.weight.shape[:2]
        self._norm = Norm.of(block, self._num_outputs)
        self._padding = block.padding
        self._weights = _in_whole_vectors(block.weight.detach().permute(2, 3, 1, 0))
        self._convolve = library.kernel("front", instruction_set)
        self._normalise = library.kernel("front_norm", instruction_set)

    def __call__(self, planes: SparsePlanes, out: Tensor | None) -> Tensor:
        batch, height, width = planes.repeats.shape
        check_padding(height, width, self._padding)
        out = _memory((batch, self._num_outputs, height, width), out)
        band = convolved_band(None, batch, height, 1)
        if self._norm.epsilon is None:
            gain, shift = (part.expand(batch, -1) for part in (self._norm.gain, self._norm.shift))
            self._run(self._convolve, planes, band, out, gain, shift, 0.0)
            return out
        convolved = self._measured(planes, band, out)
        norm = self._norm.settled(convolved.moments)
        self._run(self._normalise, planes, band, out, norm.gain, norm.shift, 0.0)
        return out

    def rows(self, planes: SparsePlanes, band: Band) -> Convolved:
        batch, at_hand, width = planes.repeats.shape
        check_padding(band.height, width, self._padding)
        out = _memory((batch, self._num_outputs, len(band.wanted), width), None)
        return self._measured(planes, convolved_band(band, batch, at_hand, 1), out)

    def _measured(self, planes: SparsePlanes, band: Band, out: Tensor) -> Convolved:
        """What the convolution alone makes, written to ``out``."""
        batch, num_rows, width = len(out), len(band.wanted), out.shape[3]
        rows = _rows_per_item(num_rows)
        counts = torch.tensor([min(rows, num_rows - first) * width for first in range(0, num_rows, rows)])
        statistics = self._weights.new_empty(batch, len(counts), 2, self._weights.shape[-1])
        ones = self._weights.new_ones(batch, self._num_outputs)
        self._run(self._convolve, planes, band, out, ones, torch.zeros_like(ones), -math.inf, statistics)
        measured = statistics[..., : self._num_outputs].double()
        return Convolved(out.permute(0, 2, 3, 1), partial(moments, measured, counts.double()))

    def _run(
        self,
        kernel: Callable[[Any], None],
        planes: SparsePlanes,
        band: Band,
        out: Tensor,
        scales: Tensor,
        shifts: Tensor,
        least: float,
        statistics: Tensor | None = None,
    ) -> None:
        """Has ``kernel`` write max(least, x * scale + shift), and measure x where there are to be ``statistics``."""
        batch, _, width = planes.repeats.shape
        rows, columns = row_sources(band, 1, self._padding), column_sources(width, self._padding)
        scales, shifts = _in_whole_vectors(scales), _in_whole_vectors(shifts)
        height = len(band.wanted)
        rows_per_item = _rows_per_item(height)
        job = _FrontJob(
            work=library.Work(0, batch * math.ceil(height / rows_per_item)),
            entries=planes.entries.data_ptr(),
            starts=planes.starts.data_ptr(),
            ends=planes.ends.data_ptr(),
            repeats=planes.repeats.data_ptr(),
            rows=rows.data_ptr(),
            columns=columns.data_ptr(),
            weights=self._weights.data_ptr(),
            height=height,
            width=width,
            channels=self._num_channels,
            outputs=self._num_outputs,
            padded_outputs=self._weights.shape[-1],
            rows_per_item=rows_per_item,
            scales=scales.data_ptr(),
            shifts=shifts.data_ptr(),
            statistics=None if statistics is None else statistics.data_ptr(),
            out=out.data_ptr(),
            least=least,
        )
        library.run(kernel, job)
        if job.out_of_memory:
            raise InputError("there is not enough memory for the stream's first convolution")


def _rows_per_item(height: int) -> int:
    return min(_MOST_ROWS_PER_ITEM, math.ceil(height / _ITEMS))


def _in_whole_vectors(tensor: Tensor) -> Tensor:
    return F.pad(tensor, (0, -tensor.shape[-1] % _LANES)).contiguous()


def _memory(size: tuple[int, int, int, int], out: Tensor | None, device: torch.device | None = None) -> Tensor:
    """``out`` if it is as it should be, new memory if it is None. Raises InputError otherwise."""
    if out is None:
        return torch.empty(size, dtype=torch.float32, device=device, memory_format=torch.channels_last)
    if out.shape != size or out.dtype != torch.float32 or not out.is_contiguous(memory_format=torch.channels_last):
        raise InputError(
            f"out must be {size} of float32 in channels_last, got {tuple(out.shape)} of {out.dtype} "
            f"with strides {out.stride()}"
        )
    return out


class _PresentConvolution:
    """A block of which only the weights of channels that are there are used, by torch."""

    def __init__(self, block: Block) -> None:
        self._weight, self._padding = block.weight.detach(), block.padding
        self._norm = Norm.of(block, len(block.weight))

    @torch.no_grad()
    def __call__(self, planes: PresentPlanes, out: Tensor | None) -> Tensor:
        batch, _, *size = planes.planes.shape
        out = _memory((batch, len(self._weight), size[0], size[1]), out, planes.planes.device)
        whole = convolved_band(None, batch, size[0], 1)
        check_padding(whole.height, size[1], self._padding)
        cells = out.permute(0, 2, 3, 1)
        for part in parts_of(whole.wanted, 4 * batch * size[1] * len(self._weight)):
            read = rows_convolved(part, 1, whole.height)
            rows = planes.planes[:, :, read.start : read.stop]
            cells[:, part.start : part.stop] = self._convolved(rows, planes, Band(part, read.start, whole.height))
        norm = self._norm.settled(partial(moments_of, cells))
        gain, shift = norm.gain[..., None, None], norm.shift[..., None, None]
        return torch.addcmul(shift, out, gain, out=out).relu_()

    @torch.no_grad()
    def rows(self, planes: PresentPlanes, band: Band) -> Convolved:
        batch, _, at_hand, width = planes.planes.shape
        band = convolved_band(band, batch, at_hand, 1)
        check_padding(band.height, width, self._padding)
        cells = self._convolved(planes.planes, planes, band)
        return Convolved(cells, partial(moments_of, cells))

    def _convolved(self, rows: Tensor, planes: PresentPlanes, band: Band) -> Tensor:
        """From the planes' rows at hand, B C n w, to B n w O."""
        weight = self._weight[:, planes.channels].contiguous(memory_format=torch.channels_last)
        x = padded(rows, band, 1, self._padding).contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, weight).permute(0, 2, 3, 1)
