"""The pixels of a program: which they are, and where in memory lies what belongs to them.

Letters of shapes: see ``kernels.py``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import triton
import triton.language as tl

SLICE = tl.constexpr(16)
"""Inputs, or labels, that go through one dot: the least that tensor cores take."""


class Along(NamedTuple):
    """An axis on the device; see ``pixelwise.render.axis``.

    Attributes:
        starts: first pixel of every block, then the number of pixels.
        cells: blocks × sides: what each cell contributes to the index of a cell in its picture.
        shares: for every pixel, float32, the share of the last of its block's cells.
    """

    starts: Any
    cells: Any
    shares: Any


class Inputs(NamedTuple):
    """What layer 0 reads.

    Attributes:
        labels: B n H W.
        label_inputs: for each of the n, the input that label 0 means.
        table: 5 D: for each of the D dense inputs, planes first, which input of the MLP it is, where it begins in the
            memory of dense inputs, and how far it is from there to the next picture, row and column.
        num_label_planes: n.
        num_labels: labels of a plane.
        num_dense: D.
        num_planes: how many of the D are image planes.
    """

    labels: Any
    label_inputs: Any
    table: Any
    num_label_planes: int
    num_labels: int
    num_dense: int
    num_planes: int


class Layer(NamedTuple):
    """Where a layer begins in a parameter vector, laid out as ``PixelMlp`` says, and its widths, real and padded."""

    start: int
    inputs: int
    outputs: int
    padded_inputs: int
    padded_outputs: int


class Plan(NamedTuple):
    """What the kernels are compiled for.

    Attributes:
        layers: a ``Layer`` for each.
        negative_slope: of the leaky ReLU, 0 to 1.
        tanh: whether the last layer's output passes through tanh.
        stride: numbers from one parameter vector to the next.
        sides: cells of a block along an axis: K is its square.
        precision: of dots of float32, as Triton calls it.
        num_pixels: N.
    """

    layers: tuple[Layer, ...]
    negative_slope: float
    tanh: bool
    stride: int
    sides: int
    precision: str
    num_pixels: int


class Tile(NamedTuple):
    """The pixels of a program.

    Attributes:
        y, x: where they are in the picture, N each.
        exists: which of them are pixels of the block.
        picture, row, column: the block, row and column in blocks.
        height, width: of a picture, in pixels.
        first_cell: of the picture.
        num_mlps: K.
        rows, columns: the axes.
    """

    y: Any
    x: Any
    exists: Any
    picture: Any
    row: Any
    column: Any
    height: Any
    width: Any
    first_cell: Any
    num_mlps: Any
    rows: Any
    columns: Any


@triton.jit
def tile_of_program(rows, columns, num_rows, num_columns, num_tiles, num_cells, num_mlps, PLAN: tl.constexpr):
    """The ``Tile`` of this program. For the arguments see ``kernels.forward``."""
    program = tl.program_id(0)
    column = program // num_tiles % num_columns
    row = program // num_tiles // num_columns % num_rows
    picture = (program // num_tiles // num_columns // num_rows).to(tl.int64)
    top, bottom = tl.load(rows.starts + row), tl.load(rows.starts + row + 1)
    left, right = tl.load(columns.starts + column), tl.load(columns.starts + column + 1)
    pixel_N = program % num_tiles * PLAN.num_pixels + tl.arange(0, PLAN.num_pixels)
    y_N, x_N = top + pixel_N // (right - left), left + pixel_N % (right - left)
    height, width = tl.load(rows.starts + num_rows), tl.load(columns.starts + num_columns)
    first_cell = picture * num_cells
    exists_N = y_N < bottom
    return Tile(y_N, x_N, exists_N, picture, row, column, height, width, first_cell, num_mlps, rows, columns)


@triton.jit
def parameter_start(tile, k, PLAN: tl.constexpr):
    """Where the parameters of the tile's MLP k begin."""
    row_cell = tl.load(tile.rows.cells + tile.row * PLAN.sides + k // PLAN.sides)
    column_cell = tl.load(tile.columns.cells + tile.column * PLAN.sides + k % PLAN.sides)
    return (tile.first_cell + row_cell + column_cell) * PLAN.stride


@triton.jit
def times_share(value_NX, tile, k, PLAN: tl.constexpr):
    """A value of every pixel, or of all, times MLP k's share of each."""
    if PLAN.sides == 1:
        return value_NX
    else:  # noqa: RET505  what follows a return is compiled, an else is not
        y_share_N = tl.load(tile.rows.shares + tile.y, mask=tile.exists, other=0)
        x_share_N = tl.load(tile.columns.shares + tile.x, mask=tile.exists, other=0)
        y_share_N = tl.where(k // 2 == 1, y_share_N, 1 - y_share_N)
        x_share_N = tl.where(k % 2 == 1, x_share_N, 1 - x_share_N)
        return (value_NX * (y_share_N * x_share_N)[:, None]).to(value_NX.dtype)


@triton.jit
def weights(input_I, exists_I, INDEX: tl.constexpr, PLAN: tl.constexpr):
    """Where in a parameter vector the weights of these inputs are, I O, and which of them are there."""
    output_O = tl.arange(0, PLAN.layers[INDEX].padded_outputs)
    exists_O = output_O < PLAN.layers[INDEX].outputs
    row_I = PLAN.layers[INDEX].start + (1 + input_I) * PLAN.layers[INDEX].outputs
    return row_I[:, None] + output_O[None, :], exists_I[:, None] & exists_O[None, :]


@triton.jit
def labels(tile, inputs, plane):
    """The tile's labels, N, in one of the planes."""
    row_N = (tile.picture * inputs.num_label_planes + plane) * tile.height + tile.y
    return tl.load(inputs.labels + row_N * tile.width + tile.x, mask=tile.exists, other=0).to(tl.int32)


@triton.jit
def dense_inputs(tile, inputs, first):
    """Of a slice of dense inputs: which inputs they are, -1 for none; where they are, and which of them are: N C."""
    dense_C = first + tl.arange(0, SLICE)
    exists_C = dense_C < inputs.num_dense
    entry_C = inputs.table + dense_C
    input_C = tl.load(entry_C, mask=exists_C, other=-1).to(tl.int32)
    start_C = tl.load(entry_C + inputs.num_dense, mask=exists_C, other=0)
    start_C += tile.picture * tl.load(entry_C + 2 * inputs.num_dense, mask=exists_C, other=0)
    row_C = tl.load(entry_C + 3 * inputs.num_dense, mask=exists_C, other=0).to(tl.int32)
    column_C = tl.load(entry_C + 4 * inputs.num_dense, mask=exists_C, other=0).to(tl.int32)
    pixel_NC = tile.y[:, None] * row_C[None, :] + tile.x[:, None] * column_C[None, :]
    return input_C, start_C[None, :] + pixel_NC, tile.exists[:, None] & exists_C[None, :]


@triton.jit
def outputs(tile, INDEX: tl.constexpr, PLAN: tl.constexpr):
    """Where the outputs of the last layer, which is INDEX, are in B O H W, N O, and which of them are."""
    output_O = tl.arange(0, PLAN.layers[INDEX].padded_outputs)
    plane_O = (tile.picture * PLAN.layers[INDEX].outputs + output_O) * tile.height * tile.width
    pixel_N = tile.y * tile.width + tile.x
    exists_O = output_O < PLAN.layers[INDEX].outputs
    return plane_O[None, :] + pixel_N[:, None], tile.exists[:, None] & exists_O[None, :]
