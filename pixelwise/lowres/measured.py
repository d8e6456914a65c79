"""Moments that the compiled convolutions measure of what they make, group by group; see native/kernels/norm.h."""

from __future__ import annotations

import ctypes
import math

from torch import Tensor

from pixelwise.lowres.activations import Moments
from pixelwise.lowres.room import Room
from pixelwise.native import library

_CHANNELS = 16
"""In an item of work: as in native/kernels/norm.h."""


class _Job(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        *[(name, ctypes.c_void_p) for name in ("statistics", "counts", "gain", "shift", "scales", "shifts")],
        *[(name, ctypes.c_int64) for name in ("groups", "measured", "channels")],
        ("epsilon", ctypes.c_float),
    ]


class Measured(Moments):
    """Of B pictures.

    Args:
        statistics: B G 2 C, each group's means and sums of squared deviations; or of more channels than are needed.
        counts: G float32, how many cells each group has.
        channels: C.
        room: whose kernels make the statistics.
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.
    """

    def __init__(
        self, statistics: Tensor, counts: Tensor, channels: int, room: Room, instruction_set: str | None
    ) -> None:
        self._statistics, self._counts, self._channels = statistics, counts, channels
        self._room, self._kernel = room, library.kernel("norm", instruction_set)

    def __call__(self) -> tuple[Tensor, Tensor]:
        self._room.finish()
        means, deviations = self._statistics[..., : self._channels].double().unbind(2)
        counts, num_cells = self._counts.double()[:, None], self._counts.sum()
        mean = (means * counts).sum(1) / num_cells
        between = (means - mean[:, None]).square() * counts
        return mean, (deviations + between).sum(1) / num_cells

    def normalising(self, gain: Tensor, shift: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
        """As of all moments; made by the room's kernels, too."""
        pictures, groups, _, measured = self._statistics.shape
        scales, shifts = gain.new_empty(pictures, self._channels), gain.new_empty(pictures, self._channels)
        tensors = (self._statistics, self._counts, gain, shift, scales, shifts)
        work = library.Work(0, pictures * math.ceil(self._channels / _CHANNELS))
        pointers = [tensor.data_ptr() for tensor in tensors]
        job = _Job(work, *pointers, groups, measured, self._channels, epsilon)
        self._room.run(self._kernel, job, *tensors)
        return scales, shifts
