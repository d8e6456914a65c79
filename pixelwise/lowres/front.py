"""The front of ASAP-Net's low-resolution stream: tent reduction and first convolution, norm and ReLU (Sec. 3.2).

The definition convolves one plane per label, of which at every pixel all but a few are zero. Compiled, the convolution
gathers the weights of the labels that are there instead; see native/kernels/front.h. By torch, it convolves the planes
of the labels that are somewhere in the picture.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.blocks import Block, InstanceNorm
from pixelwise.lowres.reduction import PresentPlanes, Reduced, Reduction, SparsePlanes
from pixelwise.lowres.winograd import check_padding
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
        self._convolve: Callable[[Sequence[Any], Tensor | None], Tensor] = (
            _SparseConvolution(block, instruction_set) if native else partial(_convolve_present, block)
        )

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
        return self.convolve([self.reduction(labels, planes)], out)

    def convolve(self, bands: Sequence[Reduced], out: Tensor | None = None) -> Tensor:
        """The features of pictures that ``reduction`` reduced band after band, from top to bottom."""
        return self._convolve(bands, out)


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
        self._norm = block.norm
        self._padding = block.padding
        bias = block.weight.new_zeros(self._num_outputs) if block.bias is None else block.bias
        self._gain = _in_whole_vectors(block.norm.gain if block.norm else torch.ones_like(bias))
        self._shift = _in_whole_vectors(block.norm.shift if block.norm else bias)
        self._weights = _in_whole_vectors(block.weight.detach().permute(2, 3, 1, 0))
        self._convolve = library.kernel("front", instruction_set)
        self._normalise = library.kernel("front_norm", instruction_set)

    def __call__(self, bands: Sequence[SparsePlanes], out: Tensor | None) -> Tensor:
        planes = SparsePlanes.stack(bands)
        batch, height, width = planes.repeats.shape
        check_padding(height, width, self._padding)
        out = _memory((batch, self._num_outputs, height, width), out)
        gain, shift = (part.expand(batch, -1).contiguous() for part in (self._gain, self._shift))
        if self._norm is None:
            self._run(self._convolve, planes, out, gain, shift, 0.0)
            return out
        num_items = math.ceil(height / _rows_per_item(height))
        statistics = torch.empty(batch, num_items, 2, len(self._gain))
        ones, zeros = torch.ones_like(gain), torch.zeros_like(shift)
        self._run(self._convolve, planes, out, ones, zeros, -math.inf, statistics)
        self._run(self._normalise, planes, out, *self._normalisation(statistics, height, width, self._norm), 0.0)
        return out

    def _normalisation(self, statistics: Tensor, height: int, width: int, norm: InstanceNorm) -> tuple[Tensor, Tensor]:
        """Scale and shift, B O each, from mean and sum of squared deviations of each item's rows, B items 2 O."""
        rows = _rows_per_item(height)
        counts = torch.tensor([min(rows, height - first) * width for first in range(0, height, rows)]).double()[:, None]
        means, deviations = statistics.double().unbind(2)
        mean = (means * counts).sum(1) / (height * width)
        deviations = deviations + (means - mean[:, None]).square() * counts
        scale = self._gain * (deviations.sum(1) / (height * width) + norm.epsilon).rsqrt()
        return scale.float(), (self._shift - mean * scale).float()

    def _run(
        self,
        kernel: Callable[[Any], None],
        planes: SparsePlanes,
        out: Tensor,
        scales: Tensor,
        shifts: Tensor,
        least: float,
        statistics: Tensor | None = None,
    ) -> None:
        """Has ``kernel`` write max(least, x * scale + shift), and measure x where there are to be ``statistics``."""
        batch, height, width = planes.repeats.shape
        rows, columns = (_sources(size, self._padding) for size in (height, width))
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
            padded_outputs=len(self._gain),
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


@lru_cache(maxsize=16)
def _sources(size: int, padding: str) -> Tensor:
    """Which row (column) each padded one is; -1 for zeros."""
    before, after = {"zeros": (-1, -1), "reflect": (1, size - 2), "replicate": (0, size - 1)}[padding]
    return torch.tensor([before, *range(size), after], dtype=torch.int32)


def _in_whole_vectors(tensor: Tensor) -> Tensor:
    return F.pad(tensor, (0, -tensor.shape[-1] % _LANES)).contiguous()


def _memory(size: tuple[int, int, int, int], out: Tensor | None, device: torch.device | None = None) -> Tensor:
    """``out`` if it is as it should be, new memory if it is None. Raises InputError otherwise."""
    if out is None:
        return torch.empty(size, device=device, memory_format=torch.channels_last)
    if out.shape != size or out.dtype != torch.float32 or not out.is_contiguous(memory_format=torch.channels_last):
        raise InputError(
            f"out must be {size} of float32 in channels_last, got {tuple(out.shape)} of {out.dtype} "
            f"with strides {out.stride()}"
        )
    return out


@torch.no_grad()
def _convolve_present(block: Block, bands: Sequence[PresentPlanes], out: Tensor | None) -> Tensor:
    reduced = PresentPlanes.stack(bands)
    batch, _, height, width = reduced.planes.shape
    check_padding(height, width, block.padding)
    out = _memory((batch, len(block.weight), height, width), out, reduced.planes.device)
    weight = block.weight[:, reduced.channels].contiguous(memory_format=torch.channels_last)
    mode = "constant" if block.padding == "zeros" else block.padding
    planes = F.pad(reduced.planes, (1, 1, 1, 1), mode=mode).contiguous(memory_format=torch.channels_last)
    if block.norm is None:
        return out.copy_(F.conv2d(planes, weight, block.bias)).relu_()
    features = F.conv2d(planes, weight)
    variance, mean = torch.var_mean(features, dim=(2, 3), correction=0, keepdim=True)
    scale = block.norm.gain[:, None, None] * (variance + block.norm.epsilon).rsqrt()
    return torch.addcmul(block.norm.shift[:, None, None] - mean * scale, features, scale, out=out).relu_()
