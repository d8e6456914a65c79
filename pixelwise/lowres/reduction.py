"""What the low-resolution stream sees of labels and float planes: both reduced by the tent filter (Sec. 3.2).

The definition filters one plane per label. Here labels are read as they are, and what comes out holds little more than
what is not zero. A picture can be reduced whole, or row band after row band, where it does not fit into memory.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.labels import MOST_IN_BYTES, check_range
from pixelwise.lowres.band import Band, parts_of
from pixelwise.native import library

LARGEST_STRIDE = 180
"""The weights of one reduced pixel are 4 S^4 together, in 32 bits."""

_ROWS_PER_ITEM = 16
"""Reduced rows that a thread makes at a time. Neighbours share blocks of labels, which both of them read."""

_USUAL_LABELS = 4
"""Labels of a reduced pixel for which there is room at first."""


@dataclass(frozen=True)
class SparsePlanes:
    """Reduced rows of B pictures: for each pixel a list of entries (channel, value); see native/kernels/reduction.h.

    Attributes:
        entries: N 2 int32, the value's bits and the channel.
        starts: B h int64, where a row's entries begin.
        ends: B h (w + 1) int32, where a pixel's entries begin, counted from there.
        repeats: B h w uint8, whether a pixel is the same as the one to its left.
    """

    entries: Tensor
    starts: Tensor
    ends: Tensor
    repeats: Tensor


@dataclass(frozen=True)
class PresentPlanes:
    """Reduced rows of B pictures, as planes of the channels that are not zero everywhere.

    Attributes:
        channels: P int64, ascending.
        planes: B P h w float32.
    """

    channels: Tensor
    planes: Tensor


Reduced = SparsePlanes | PresentPlanes
"""What a ``Reduction`` makes: the first compiled, the second by torch."""


def rows_read(wanted: range, stride: int, height: int) -> range:
    """Which rows of a picture the ``wanted`` reduced rows are made of."""
    if stride == 1:
        return wanted
    before = stride // 2
    return range(max(0, wanted.start * stride - before), min(height, (wanted.stop + 1) * stride - before))


class _ReductionJob(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        *[(name, ctypes.c_void_p) for name in ("labels", "planes")],
        *[(name, ctypes.c_int64) for name in ("label_bytes", "label_picture_stride", "label_row_stride")],
        *[(name, ctypes.c_int64) for name in ("plane_picture_stride", "plane_stride", "plane_row_stride")],
        *[(name, ctypes.c_int64) for name in ("num_labels", "num_planes", "stride", "height", "width", "top")],
        *[(name, ctypes.c_int64) for name in ("first_row", "num_rows", "num_columns", "rows_per_item")],
        ("entries", ctypes.c_void_p),
        *[(name, ctypes.c_int64) for name in ("capacity", "used")],
        *[(name, ctypes.c_void_p) for name in ("starts", "ends", "repeats")],
        *[(name, ctypes.c_int32) for name in ("unknown_label", "out_of_memory")],
    ]


class Reduction:
    """The tent filter, for labels and float planes together.

    Args:
        stride: S1, 1 or even.
        num_labels: L, at most 256; 0 without labels.
        num_planes: C, float planes; they become channels L to L + C - 1.
        native: by the compiled kernel, which needs ``library.missing() is None``; otherwise by torch.
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.

    Raises:
        InputError: no such stride, or more labels than that.
    """

    def __init__(
        self, stride: int, num_labels: int, num_planes: int, native: bool = True, instruction_set: str | None = None
    ) -> None:
        if not 1 <= stride <= LARGEST_STRIDE or (stride > 1 and stride % 2):
            raise InputError(f"the tent's stride must be 1, or even and up to {LARGEST_STRIDE}, got {stride}")
        if num_labels > MOST_IN_BYTES:
            raise InputError(f"labels are reduced as bytes, {MOST_IN_BYTES} of them at most, got {num_labels}")
        self.stride, self.num_labels, self.num_planes = stride, num_labels, num_planes
        self._kernel = library.kernel("reduce", instruction_set) if native else None

    def __call__(self, labels: Tensor | None, planes: Tensor | None, band: Band | None = None) -> Reduced:
        """The reduced rows that are wanted, without gradients.

        Args:
            labels: B H W integers in 0..L - 1; None without.
            planes: B C H W float; None without.
            band: which rows of the picture these are; None for all.

        Raises:
            InputError: labels or planes do not fit each other, the band or what was announced, or the picture is
                smaller than the stride.
        """
        batch, rows, width, device = self._size(labels, planes)
        band = band or Band(range(rows // self.stride), 0, rows)
        self._check(band, rows, width)
        if labels is None:
            labels = torch.empty(batch, rows, 0, dtype=torch.uint8, device=device)
        if planes is None:
            planes = torch.empty(batch, 0, rows, width, device=device)
        reduce = self._reduce if self._kernel is None else self._reduce_native
        return reduce(labels, planes.detach().float(), band)

    def _size(self, labels: Tensor | None, planes: Tensor | None) -> tuple[int, int, int, torch.device]:
        """B, rows at hand, W, device. Raises InputError unless labels and planes are as announced and of one size."""
        sizes = [(len(tensor), *tensor.shape[-2:], tensor.device) for tensor in (labels, planes) if tensor is not None]
        num_planes = 0 if planes is None else planes.shape[1]
        if (labels is not None) != (self.num_labels > 0) or num_planes != self.num_planes:
            raise InputError(
                f"expected {'labels' if self.num_labels else 'no labels'} and {self.num_planes} planes, "
                f"got {'no labels' if labels is None else 'labels'} and {num_planes}"
            )
        if len(set(sizes)) != 1:
            raise InputError(f"labels and planes must be there, of one size and device (B, H, W, device), got {sizes}")
        return sizes[0]

    def _check(self, band: Band, rows: int, width: int) -> None:
        """Raises InputError unless the wanted rows exist and can be made of the rows at hand."""
        last = band.height // self.stride
        if not 0 <= band.wanted.start < band.wanted.stop <= last or width < self.stride:
            raise InputError(f"{band.height} x {width} pixels, reduced by {self.stride}, have no rows {band.wanted}")
        read, at_hand = rows_read(band.wanted, self.stride, band.height), range(band.top, band.top + rows)
        if read.start < at_hand.start or read.stop > at_hand.stop:
            raise InputError(f"reduced rows {band.wanted} are made of the rows {read}, at hand are {at_hand}")

    def _reduce(self, labels: Tensor, planes: Tensor, band: Band) -> PresentPlanes:
        if self.num_labels:
            check_range(labels, self.num_labels)
        present = torch.bincount(labels.flatten()).nonzero().flatten()
        others = torch.arange(self.num_labels, self.num_labels + self.num_planes, device=present.device)
        channels = torch.cat([present, others])
        batch, width = len(planes), planes.shape[-1]
        reduced = planes.new_empty(batch, len(channels), len(band.wanted), width // self.stride)
        # Part by part, since a plane at full size, in float32 and gathered, may be larger than all that is made of it.
        for part in parts_of(band.wanted, 4 * batch * self.stride * width):
            read = rows_read(part, self.stride, band.height)
            rows = slice(read.start - band.top, read.stop - band.top)
            at_hand, first = Band(part, read.start, band.height), part.start - band.wanted.start
            parts = [labels[:, rows] == label for label in present] + list(planes[:, :, rows].unbind(1))
            for index, plane in enumerate(parts):
                reduced[:, index, first : first + len(part)] = _tent(plane, self.stride, at_hand)
        return PresentPlanes(channels, reduced)

    def _reduce_native(self, labels: Tensor, planes: Tensor, band: Band) -> SparsePlanes:
        labels = (labels if labels.dtype in (torch.uint8, torch.int64) else labels.long()).contiguous()
        planes = planes.contiguous()
        batch, num_rows, num_columns = len(planes), len(band.wanted), planes.shape[-1] // self.stride
        starts = torch.empty(batch, num_rows, dtype=torch.int64)
        ends = torch.empty(batch, num_rows, num_columns + 1, dtype=torch.int32)
        repeats = torch.empty(batch, num_rows, num_columns, dtype=torch.uint8)
        usual_labels = min(self.num_labels, 1 if self.stride == 1 else _USUAL_LABELS)
        used = repeats.numel() * (usual_labels + self.num_planes)
        while True:
            entries = torch.empty(used, 2, dtype=torch.int32)
            used = self._run(labels, planes, band, entries, starts, ends, repeats)
            if used <= len(entries):
                return SparsePlanes(entries[:used], starts, ends, repeats)

    def _run(
        self,
        labels: Tensor,
        planes: Tensor,
        band: Band,
        entries: Tensor,
        starts: Tensor,
        ends: Tensor,
        repeats: Tensor,
    ) -> int:
        """Has the kernel fill the last four; returns for how many entries there should have been room."""
        batch, num_rows, num_columns = repeats.shape
        job = _ReductionJob(
            work=library.Work(0, batch * math.ceil(num_rows / _ROWS_PER_ITEM)),
            labels=labels.data_ptr() if self.num_labels else None,
            planes=planes.data_ptr(),
            label_bytes=labels.element_size(),
            label_picture_stride=labels.stride(0),
            label_row_stride=labels.stride(1),
            plane_picture_stride=planes.stride(0),
            plane_stride=planes.stride(1),
            plane_row_stride=planes.stride(2),
            num_labels=self.num_labels,
            num_planes=self.num_planes,
            stride=self.stride,
            height=band.height,
            width=planes.shape[-1],
            top=band.top,
            first_row=band.wanted.start,
            num_rows=num_rows,
            num_columns=num_columns,
            rows_per_item=_ROWS_PER_ITEM,
            entries=entries.data_ptr(),
            capacity=len(entries),
            starts=starts.data_ptr(),
            ends=ends.data_ptr(),
            repeats=repeats.data_ptr(),
        )
        assert self._kernel is not None
        library.run(self._kernel, job)
        if job.out_of_memory:
            raise InputError(f"there is not enough memory to reduce rows of {planes.shape[-1]} labels")
        if job.unknown_label:
            check_range(labels, self.num_labels)
        return int(job.used)


def _tent(plane: Tensor, stride: int, band: Band) -> Tensor:
    """One plane B H W, reduced. Windows are two blocks of ``stride`` pixels along each axis; see the kernel."""
    if stride == 1:
        return plane[:, band.wanted.start - band.top : band.wanted.stop - band.top].float()
    rows = _mirrored(range(band.wanted.start, band.wanted.stop + 1), stride, band.height) - band.top
    columns = _mirrored(range(plane.shape[-1] // stride + 1), stride, plane.shape[-1])
    rising = torch.arange(1, 2 * stride, 2, dtype=torch.float32, device=plane.device) / (2 * stride**2)
    taps = torch.stack([rising, rising.flip(0)])
    x = taps @ plane[:, rows.to(plane.device)].float().unflatten(1, (-1, stride))
    x = (x[:, :-1, 0] + x[:, 1:, 1])[..., columns.to(plane.device)]
    x = x.unflatten(2, (-1, stride)) @ taps.t()
    reduced: Tensor = x[:, :, :-1, 0] + x[:, :, 1:, 1]
    return reduced


def _mirrored(blocks: range, stride: int, size: int) -> Tensor:
    """Which pixels the blocks consist of, those beyond the picture's ends mirrored."""
    pixels = torch.arange(blocks.start * stride, blocks.stop * stride) - stride // 2
    return size - 1 - (size - 1 - pixels.abs()).abs()
