"""3 x 3 convolution of stride 2, compiled; see native/kernels/strided.h."""

from __future__ import annotations

import ctypes

import torch.nn.functional as F
from torch import Tensor

from pixelwise.lowres.activations import Activations, Convolved
from pixelwise.lowres.band import Band, convolved_band
from pixelwise.lowres.measured import Measured
from pixelwise.lowres.padding import check_padding, column_sources, row_sources
from pixelwise.lowres.room import Room
from pixelwise.native import library

_PANEL = 128
"""Outputs whose weights, for the usual 64 inputs, take a part of the second-level cache only."""


class _Job(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        *[
            (name, ctypes.c_void_p)
            for name in ("cells", "scale", "shift", "rows", "columns", "weights", "out", "statistics")
        ],
        *[
            (name, ctypes.c_int64)
            for name in ("height", "width", "channels", "out_height", "out_width", "panels", "panel_outputs")
        ],
        ("least", ctypes.c_float),
        ("out_of_memory", ctypes.c_int32),
    ]


class StridedConvolution:
    """A packed 3 x 3 convolution which makes every second row and column.

    Args:
        weight: O I 3 3, float32 on the CPU.
        padding: "zeros", "reflect" or "replicate".
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.

    Attributes:
        inputs, outputs: channels, rounded up to whole vectors: additional inputs must be 0, additional outputs are 0.
    """

    def __init__(self, weight: Tensor, padding: str, instruction_set: str | None) -> None:
        weight = F.pad(
            weight.detach(), (0, 0, 0, 0, 0, -weight.shape[1] % library.LANES, 0, -weight.shape[0] % library.LANES)
        )
        self.outputs, self.inputs = weight.shape[:2]
        panel = _PANEL if self.outputs % _PANEL == 0 else self.outputs
        self._weights = weight.permute(2, 3, 1, 0).unflatten(3, (-1, panel)).movedim(3, 0).contiguous()
        self._padding, self._instruction_set = padding, instruction_set
        self._convolve = library.kernel("strided", instruction_set)

    def __call__(self, x: Activations, room: Room, band: Band | None = None) -> Convolved:
        """The cells of whole pictures, or of a band of one.

        Raises:
            InputError: a reflection in a grid of a single row or column, or a band that cannot be made of ``x``.
        """
        pictures, height, width, _ = x.cells.shape
        band = convolved_band(band, pictures, height, 2)
        check_padding(band.height, width, self._padding)
        size = (len(band.wanted), -(-width // 2))
        out = room.layer(pictures, *size, self.outputs)
        statistics = x.cells.new_empty(pictures, size[0], 2, self.outputs)
        rows, columns = row_sources(band, 2, self._padding), column_sources(width, self._padding)
        inputs = [part.contiguous() for part in (x.cells, x.scale, x.shift)]
        tensors = (*inputs, rows, columns, self._weights, out, statistics)
        pointers = [tensor.data_ptr() for tensor in tensors]
        panels, panel_outputs = len(self._weights), self._weights.shape[-1]
        work = library.Work(0, pictures * size[0] * panels)
        job = _Job(work, *pointers, height, width, self.inputs, *size, panels, panel_outputs, x.least)
        room.run(self._convolve, job, *tensors, scarce=f"there is not enough memory for a row of {width} cells")
        counts = statistics.new_full((size[0],), size[1])
        return Convolved(out, Measured(statistics, counts, self.outputs, room, self._instruction_set))
