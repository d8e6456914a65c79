"""The compiled engine: hands field, features and axes to the kernel of ``pixelwise/native/kernels/pixels.h``.

Shape letters: see field.py.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.native import errands, library
from pixelwise.render.axis import Axis
from pixelwise.render.field import PixelwiseField
from pixelwise.render.guide import Features

_MOST_PIXELS = 4096
"""Of a block; larger ones are cut, so that there is something to share between threads."""


class _Axis(ctypes.Structure):
    _fields_ = [
        ("num_blocks", ctypes.c_int64),
        ("starts", ctypes.c_void_p),
        ("cells", ctypes.c_void_p),
        ("shares", ctypes.c_void_p),
        ("code", ctypes.c_void_p),
    ]


class _Plane(ctypes.Structure):
    _fields_ = [
        ("pixels", ctypes.c_void_p),
        ("input", ctypes.c_int64),
        ("picture_stride", ctypes.c_int64),
        ("row_stride", ctypes.c_int64),
        ("column_stride", ctypes.c_int64),
    ]


class _Job(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        ("parameters", ctypes.c_void_p),
        ("picture_stride", ctypes.c_int64),
        ("cell_row_stride", ctypes.c_int64),
        ("cell_column_stride", ctypes.c_int64),
        ("widths", ctypes.c_void_p),
        ("num_layers", ctypes.c_int64),
        ("num_sides", ctypes.c_int64),
        ("num_periods", ctypes.c_int64),
        ("num_labels", ctypes.c_int64),
        ("num_planes", ctypes.c_int64),
        ("rows", _Axis),
        ("columns", _Axis),
        ("labels", ctypes.c_void_p),
        ("planes", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("out_picture_stride", ctypes.c_int64),
        ("out_channel_stride", ctypes.c_int64),
        ("out_row_stride", ctypes.c_int64),
        ("negative_slope", ctypes.c_float),
        ("tanh", ctypes.c_int32),
        ("label_bytes", ctypes.c_int32),
        ("out_of_memory", ctypes.c_int32),
    ]


def unfit(field: PixelwiseField, features: Features) -> str | None:
    """Why the compiled kernel cannot render this; None if it can."""
    tensors = [field.parameters, *(plane for _, plane in features.planes)]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return "it has no gradients"
    if field.parameters.device.type != "cpu" or field.parameters.dtype != torch.float32:
        return f"it reads float32 on the CPU, not {field.parameters.dtype} on {field.parameters.device}"
    return None


def render_native(
    field: PixelwiseField, features: Features, rows: Axis, columns: Axis, instruction_set: str | None = None
) -> Tensor:
    """Eq. 1 and 2, compiled; float32 on the CPU, without gradients. See ``pixelwise.render.engine.Render``.

    Args:
        instruction_set: see ``library.kernel``.

    Raises:
        InputError: there is not enough memory.
    """
    parameters_BhwP = _with_slack(field.parameters.detach().movedim(1, -1))
    batch = len(parameters_BhwP)
    image_BOHW = torch.empty(batch, field.mlp.widths[-1], len(rows), len(columns), dtype=torch.float32)
    widths = torch.tensor(field.mlp.widths)
    # Kept alive until the kernel is done: the job holds addresses only.
    label_planes = [(first, _readable(plane, torch.uint8, torch.int64)) for first, plane in features.labels]
    if len({plane.dtype for _, plane in label_planes}) > 1:
        label_planes = [(first, plane.long()) for first, plane in label_planes]
    float_planes = [(index, _readable(plane.detach(), torch.float32)) for index, plane in features.planes]
    cut = rows.cut(_MOST_PIXELS // columns.longest)
    row_arrays, column_arrays = _Arrays(cut), _Arrays(columns)
    job = _Job(
        work=library.Work(0, batch * row_arrays.num_blocks * column_arrays.num_blocks),
        parameters=parameters_BhwP.data_ptr(),
        picture_stride=parameters_BhwP.stride(0),
        cell_row_stride=parameters_BhwP.stride(1),
        cell_column_stride=parameters_BhwP.stride(2),
        widths=widths.data_ptr(),
        num_layers=field.mlp.num_layers,
        num_sides=2 if field.bilinear else 1,
        num_periods=rows.code.shape[1] // 2,
        num_labels=len(label_planes),
        num_planes=len(float_planes),
        rows=row_arrays.structure(),
        columns=column_arrays.structure(),
        labels=ctypes.cast(labels := _planes(label_planes), ctypes.c_void_p),
        planes=ctypes.cast(planes := _planes(float_planes), ctypes.c_void_p),
        out=image_BOHW.data_ptr(),
        out_picture_stride=image_BOHW.stride(0),
        out_channel_stride=image_BOHW.stride(1),
        out_row_stride=image_BOHW.stride(2),
        negative_slope=field.mlp.negative_slope,
        tanh=field.mlp.tanh,
        label_bytes=label_planes[0][1].element_size() if label_planes else 0,
    )
    library.run(library.kernel("render", instruction_set), job, errands=errands.waiting_here())
    del labels, planes
    if job.out_of_memory:
        raise InputError("the engine has not enough memory for one block of pixels")
    return image_BOHW


class _Arrays:
    """What an axis holds, as arrays that C reads."""

    def __init__(self, along: Axis) -> None:
        self.num_blocks = len(along.blocks)
        starts = [block.pixels.start for block in along.blocks] + [len(along)]
        cells = [(block.cells[0], block.cells[-1]) for block in along.blocks]
        self.starts = torch.tensor(starts, dtype=torch.int32)
        self.cells = torch.tensor(cells, dtype=torch.int32)
        self.shares = along.shares[:, -1].float().contiguous()
        self.code = along.code.contiguous()

    def structure(self) -> _Axis:
        arrays = (self.starts, self.cells, self.shares, self.code)
        return _Axis(self.num_blocks, *(array.data_ptr() for array in arrays))


def _planes(planes: Iterable[tuple[int, Tensor]]) -> ctypes.Array[_Plane]:
    structures = [_Plane(plane.data_ptr(), index, *plane.stride()) for index, plane in planes]
    return (_Plane * len(structures))(*structures)


def _readable(plane: Tensor, *dtypes: torch.dtype) -> Tensor:
    return plane if plane.dtype in dtypes else plane.to(dtypes[-1])


def _with_slack(parameters_BhwP: Tensor) -> Tensor:
    """The same numbers, each cell's contiguous, in memory that reaches ``library.SLACK`` floats further."""
    end = parameters_BhwP.storage_offset() + 1
    end += sum(
        (size - 1) * stride for size, stride in zip(parameters_BhwP.shape, parameters_BhwP.stride(), strict=True)
    )
    readable = parameters_BhwP.untyped_storage().nbytes() // parameters_BhwP.element_size()
    if parameters_BhwP.stride(-1) == 1 and end + library.SLACK <= readable:
        return parameters_BhwP
    memory = parameters_BhwP.new_empty(parameters_BhwP.numel() + library.SLACK)
    copy = memory[: parameters_BhwP.numel()].view(parameters_BhwP.shape)
    return copy.copy_(parameters_BhwP)
