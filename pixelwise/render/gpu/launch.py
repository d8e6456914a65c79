"""Lays out what the kernels read, chooses the size of their tiles and launches them.

Shape letters: see ``pixelwise/render/field.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from pixelwise.render.axis import Axis
from pixelwise.render.field import PixelMlp, PixelwiseField
from pixelwise.render.gpu import kernels
from pixelwise.render.gpu.tile import SLICE, Along, Inputs, Layer, Plan
from pixelwise.render.guide import Features

_ALIGNED = 8
"""Numbers at a multiple of which parameter vectors begin, so that 16 bytes can be read at a time."""


_NUM_WARPS = 8
"""Of a program, 32 threads each, that share its registers: 256 threads have up to 255 of them each."""


def num_pixels(dtype: torch.dtype, precision: str, width: int, sides: int, backward: bool, block: int) -> int:
    """How many pixels a program takes: as many as leave the registers of its threads enough for all else.

    The more, the fewer times weights are read and gradients added. With four hidden layers, compiled for compute
    capability 9.0 by Triton 3.9, the first number without bilinear parameters, the second with them (* spills registers
    by the hundred, no other by more than 18; nothing of this has been timed on a device):

    =======  =====  =============  =============
    type     width  forward        backward
    =======  =====  =============  =============
    16 bits  64     128     64     64      32
    16 bits  128    64      32     32      16
    TF32     64     64      32     32      16
    TF32     128    32      16     16      16
    float32  64     32      16     16      16
    float32  128    16*     16     16*     16*
    =======  =====  =============  =============

    Args:
        dtype: of the parameters.
        precision: of dots of float32.
        width: of the hidden layers, padded.
        sides: cells that act on a pixel, along an axis.
        backward: whether gradients are computed: the input of every layer is kept for them.
        block: pixels of the largest block: beyond them a tile would be empty.
    """
    num_bytes = 16384  # of a layer's activations
    # Dots of float32 proper, by ordinary instructions, hold rows and columns of both factors in registers.
    for is_dear in (backward, sides > 1, dtype == torch.float32 and precision == "ieee"):
        num_bytes //= 2 if is_dear else 1
    most = min(128, num_bytes // (width * dtype.itemsize))
    least: int = SLICE.value
    return max(least, min(most, 1 << (block - 1).bit_length()))


@dataclass(frozen=True)
class _Job:
    """What is rendered, but for the tensors that have gradients; before a call without its labels too.

    Attributes:
        mlp: of the field.
        sides: cells that act on a pixel, along an axis.
        shape: B O H W.
        block: pixels of the largest block.
        num_cells: of a picture.
        rows, columns, inputs: see ``tile``.
    """

    mlp: PixelMlp
    sides: int
    shape: tuple[int, int, int, int]
    block: int
    num_cells: int
    rows: Along
    columns: Along
    inputs: Inputs


def render_fused(field: PixelwiseField, features: Features, rows: Axis, columns: Axis) -> Tensor:
    """See ``pixelwise.render.gpu.render_gpu``."""
    return FusedRendering(field, features, rows, columns, field.parameters.device)(field.parameters, features)


class FusedRendering:
    """Renders fields and features of one size. For the arguments see ``pixelwise.render.gpu.prepare_gpu``."""

    def __init__(
        self, field: PixelwiseField, features: Features, rows: Axis, columns: Axis, device: torch.device
    ) -> None:
        batch, _, num_cell_rows, num_cell_columns = field.parameters.shape
        self._codes = _sent(torch.cat([along.code.flatten() for along in (columns, rows)]), device)
        self._job = _Job(
            mlp=field.mlp,
            sides=2 if field.bilinear else 1,
            shape=(batch, field.mlp.widths[-1], len(rows), len(columns)),
            block=_longest(rows) * _longest(columns),
            num_cells=num_cell_rows * num_cell_columns,
            rows=_along(rows, num_cell_columns, device),
            columns=_along(columns, 1, device),
            inputs=_inputs(features, batch, rows, columns, device),
        )

    def __call__(self, parameters_BPhw: Tensor, features: Features) -> Tensor:
        num_padding = -self._job.mlp.num_parameters % _ALIGNED
        parameters_BhwP = F.pad(parameters_BPhw.movedim(1, -1), (0, num_padding)).contiguous()
        planes = [plane.to(parameters_BhwP).flatten() for _, plane in features.planes]
        dense = torch.cat([*planes, self._codes.to(parameters_BhwP)])
        labels = [plane.to(parameters_BhwP.device) for _, plane in features.labels]
        labels_BnHW = torch.stack(labels, dim=1) if labels else parameters_BhwP.new_empty(0, dtype=torch.int64)
        job = replace(self._job, inputs=self._job.inputs._replace(labels=labels_BnHW))
        image_BOHW: Tensor = _Fused.apply(parameters_BhwP, dense, job)  # type: ignore[no-untyped-call]
        return image_BOHW


def _longest(axis: Axis) -> int:
    return max(len(range(len(axis))[block.pixels]) for block in axis.blocks)


def _along(axis: Axis, step: int, device: torch.device) -> Along:
    """An axis on the device, ``step`` cells lying between one of its cells and the next."""
    starts = torch.tensor([block.pixels.start for block in axis.blocks] + [len(axis)], dtype=torch.int32)
    cells = torch.tensor([block.cells for block in axis.blocks], dtype=torch.int32) * step
    shares = axis.shares[:, -1].float()
    return Along(_sent(starts, device), _sent(cells, device), _sent(shares, device))


def _inputs(features: Features, batch: int, rows: Axis, columns: Axis, device: torch.device) -> Inputs:
    firsts = torch.tensor([first for first, _ in features.labels], dtype=torch.int32)
    table = [*_planes(features, batch, rows, columns), *_codes(features, batch, rows, columns)]
    return Inputs(
        labels=None,
        label_inputs=_sent(firsts, device),
        # Five numbers an entry, also where there is none.
        table=_sent(torch.tensor(table, dtype=torch.int64).reshape(-1, 5).T, device),
        num_label_planes=len(features.labels),
        num_labels=features.num_labels,
        num_dense=len(table),
        num_planes=len(features.planes),
    )


_Entry = tuple[int, int, int, int, int]
"""Of ``Inputs.table``."""


def _planes(features: Features, batch: int, rows: Axis, columns: Axis) -> Iterator[_Entry]:
    """Image planes lie one after the other, each B H W."""
    picture = len(rows) * len(columns)
    for place, (index, _) in enumerate(features.planes):
        yield index, place * batch * picture, picture, len(columns), 1


def _codes(features: Features, batch: int, rows: Axis, columns: Axis) -> Iterator[_Entry]:
    """The pixel code follows, the columns' first. For each period the MLP reads two waves along x, then two along y."""
    start = len(features.planes) * batch * len(rows) * len(columns)
    num_waves = columns.code.shape[1]
    for wave in range(num_waves):
        index = features.num_inputs + wave // 2 * 4 + wave % 2
        yield index, start + wave, 0, 0, num_waves
        yield index + 2, start + columns.code.numel() + wave, 0, num_waves, 0


def _sent(array: Tensor, device: torch.device) -> Tensor:
    # Without waiting for the device: from pageable memory everything has been read when this returns.
    return array.contiguous().to(device, non_blocking=True)


class _Fused(torch.autograd.Function):
    """(parameters B h w P, padded; dense inputs; the rest) -> B O H W."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, dense: Tensor, job: _Job) -> Tensor:
        image = parameters.new_empty(job.shape)
        _launch(kernels.forward, job, False, parameters, dense, image)
        ctx.save_for_backward(parameters, dense, image)
        ctx.job = job
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, image_gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        parameters, dense, image = ctx.saved_tensors
        parameters_gradient = torch.zeros_like(parameters, dtype=torch.float32)
        dense_gradient = torch.zeros_like(dense)
        gradients = (image_gradient.contiguous(), parameters_gradient, dense_gradient)
        _launch(kernels.backward, ctx.job, True, parameters, dense, image, *gradients)
        return parameters_gradient.to(parameters.dtype), dense_gradient, None


def _launch(kernel: Any, job: _Job, backward: bool, parameters: Tensor, *tensors: Tensor) -> None:
    plan = _plan(job, parameters, backward)
    num_tiles = triton.cdiv(job.block, plan.num_pixels)
    blocks = (len(job.rows.starts) - 1, len(job.columns.starts) - 1, num_tiles)
    grid = (job.shape[0] * math.prod(blocks),)
    with torch.cuda.device_of(parameters):
        kernel[grid](
            parameters,
            *tensors,
            job.rows,
            job.columns,
            job.inputs,
            *blocks,
            job.num_cells,
            job.sides**2,
            PLAN=plan,
            num_warps=_NUM_WARPS,
            num_stages=1,
        )


def _plan(job: _Job, parameters: Tensor, backward: bool) -> Plan:
    layers, precision = tuple(_layers(job.mlp)), _precision()
    width = layers[0].padded_outputs
    return Plan(
        layers=layers,
        negative_slope=job.mlp.negative_slope,
        tanh=job.mlp.tanh,
        stride=parameters.shape[-1],
        sides=job.sides,
        precision=precision,
        num_pixels=num_pixels(parameters.dtype, precision, width, job.sides, backward, job.block),
    )


def _layers(mlp: PixelMlp) -> Iterator[Layer]:
    widest = (max(mlp.widths[1:-1], default=1), mlp.widths[-1])
    hidden, last = (max(SLICE.value, triton.next_power_of_2(width)) for width in widest)
    start = 0
    for index, (inputs, outputs) in enumerate(pairwise(mlp.widths)):
        yield Layer(start, inputs, outputs, hidden, last if index == mlp.num_layers - 1 else hidden)
        start += (inputs + 1) * outputs


def _precision() -> str:
    """Of dots of float32: what PyTorch was told for products of matrices."""
    matmul = torch.backends.cuda.matmul
    # The older switch cannot be read any more once the newer one, of PyTorch 2.9, has been set.
    told = matmul.fp32_precision if hasattr(matmul, "fp32_precision") else "tf32" if matmul.allow_tf32 else "ieee"
    return "tf32" if told == "tf32" else "ieee"
