"""What is asked of label and instance maps ahead of the stream, compiled: what ``pixelwise.labels`` defines, function
for function. See native/kernels/maps.h."""

from __future__ import annotations

import ctypes
import math

import torch
from torch import Tensor

from pixelwise import labels as definition
from pixelwise.labels import INDEX_TYPES, MOST_IN_BYTES, check_range
from pixelwise.native import library

_ITEMS = 64
"""Into about how many items of work a map is cut."""

_WIDER_THAN_BYTES = (torch.int16, torch.int32, torch.int64)


class _MapJob(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        ("ids", ctypes.c_void_p),
        *[(name, ctypes.c_int64) for name in ("id_bytes", "picture_stride", "row_stride")],
        *[(name, ctypes.c_int64) for name in ("height", "width", "rows_per_item")],
        ("out", ctypes.c_void_p),
        ("num_labels", ctypes.c_int64),
        ("unknown_label", ctypes.c_int32),
    ]


def as_bytes(labels: Tensor, num_channels: int, instruction_set: str | None = None) -> Tensor:
    """See ``pixelwise.labels.as_bytes``.

    Args:
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.
    """
    if not _readable(labels, *_WIDER_THAN_BYTES) or num_channels > MOST_IN_BYTES:
        return definition.as_bytes(labels, num_channels)
    made = torch.empty(labels.shape, dtype=torch.uint8)
    if _run("label_bytes", labels, made, num_channels, instruction_set).unknown_label:
        check_range(labels, num_channels)
    return made


def occurring(labels: Tensor, num_channels: int, instruction_set: str | None = None) -> Tensor:
    """See ``pixelwise.labels.occurring``, and for ``instruction_set`` above. Compiled for bytes alone."""
    if not _readable(labels, torch.uint8) or num_channels > MOST_IN_BYTES:
        return definition.occurring(labels, num_channels)
    seen = torch.zeros(MOST_IN_BYTES, dtype=torch.bool)
    _run("label_occurrences", labels, seen, num_channels, instruction_set)
    if seen[num_channels:].any():
        check_range(labels, num_channels)
    return seen[:num_channels]


def instance_edges(instances: Tensor, instruction_set: str | None = None) -> Tensor:
    """See ``pixelwise.labels.instance_edges``, and for ``instruction_set`` above."""
    if not _readable(instances, *INDEX_TYPES):
        return definition.instance_edges(instances)
    edges = torch.empty(len(instances), 1, *instances.shape[1:], dtype=torch.float32)
    _run("instance_edges", instances, edges, 0, instruction_set)
    return edges


def _readable(ids: Tensor, *types: torch.dtype) -> bool:
    return ids.device.type == "cpu" and ids.dtype in types and ids.numel() > 0


def _run(name: str, ids: Tensor, out: Tensor, num_labels: int, instruction_set: str | None) -> _MapJob:
    """Has a kernel read ids B H W; returns its job."""
    ids = ids if ids.stride(-1) == 1 else ids.contiguous()
    pictures, height, width = ids.shape
    rows_per_item = max(1, math.ceil(pictures * height / _ITEMS))
    work = library.Work(0, pictures * math.ceil(height / rows_per_item))
    strides, sizes = (ids.element_size(), ids.stride(0), ids.stride(1)), (height, width, rows_per_item)
    job = _MapJob(work, ids.data_ptr(), *strides, *sizes, out.data_ptr(), num_labels)
    library.run(library.kernel(name, instruction_set), job)
    return job
