"""The fused kernels: one program takes a tile of pixels through all layers of its MLP.

Which pixels. The axes cut the output into blocks on which the same MLPs act: a cell, a part of one, or, with bilinear
parameters, what lies between four cell centres. A block's pixels, counted row by row, are cut into tiles of N, and
every tile is one program. Blocks differ in size, so the last tiles of some are empty: their programs return at once.

Layer 0 is never a product with one-hot planes: a label selects a row of the weights, which is loaded and added. The
rest of the input, image planes and pixel code, goes through dots in slices of 16. A table says where to read each of
these inputs, so that planes and pixel code are treated alike.

The other layers are dots of N I activations with I O weights. Activations never leave the registers. Widths are padded
with zeros to a power of two, at least 16, since tensor cores want it: hidden layers to a common one, the last to its
own. Weights come through the cache: the programs of a cell are neighbours, and all but the first find them there.

With bilinear parameters K = 4 MLPs act on a pixel, in shares. The sum over k of share_k (x W_k + b_k) is K dots of
weighted inputs into one accumulator, as in the reference; nothing is interpolated in memory. Otherwise K is 1.

Gradients. The backward kernel has the same tiles. It takes them through the layers again, keeps the input of each in
registers and walks back: with X the input of a layer and G the gradient of what it returns, X^T G is the gradient of
its weights and G W^T that of X. Many tiles share an MLP, so they add to its gradient atomically, in float32: in no
defined order, which leaves the last bits undefined too. Rows that labels select get theirs from the product of G with
the one-hot matrix of a slice of labels, made in registers; only rows of labels that occur are added.

Precision. Dots read the parameters' type and sum in float32, the type of everything between them. Activations are
rounded to the parameters' type before a dot, the output when it is stored.

Letters of shapes: N pixels of a tile; I O inputs and outputs of a layer, padded; K MLPs that act on a pixel; C a slice;
X any of these.
"""

from __future__ import annotations

import triton
import triton.language as tl

from pixelwise.render.gpu.tile import (
    SLICE,
    dense_inputs,
    labels,
    outputs,
    parameter_start,
    tile_of_program,
    times_share,
    weights,
)


@triton.jit(do_not_specialize=["num_rows", "num_columns", "num_tiles", "num_cells"])
def forward(
    parameters,
    dense,
    image,
    rows,
    columns,
    inputs,
    num_rows,
    num_columns,
    num_tiles,
    num_cells,
    num_mlps,
    PLAN: tl.constexpr,
):
    """Writes the image.

    Args:
        parameters: B × ``num_cells`` × ``PLAN.stride``.
        dense: the memory in which image planes and pixel code are, of the parameters' type.
        image: B O H W.
        rows, columns: ``Along``.
        inputs: ``Inputs``.
        num_rows, num_columns: of blocks.
        num_tiles: of the largest block.
        num_cells: of a picture.
        num_mlps: K. Triton compiles a 1 into the kernel, so that loops over k vanish, but no 4: they are not unrolled.
        PLAN: ``Plan``.
    """
    tile = tile_of_program(rows, columns, num_rows, num_columns, num_tiles, num_cells, num_mlps, PLAN)
    if tl.max(tile.exists.to(tl.int32), 0) == 0:
        return
    x_NO = _first_layer(tile, inputs, dense, parameters, PLAN)
    for index in tl.static_range(1, len(PLAN.layers)):
        x_NO = _layer(tile, _activation(x_NO, parameters, PLAN), parameters, index, PLAN)
    if PLAN.tanh:
        x_NO = 2 / (1 + tl.exp(-2 * x_NO)) - 1
    place_NO, exists_NO = outputs(tile, len(PLAN.layers) - 1, PLAN)
    tl.store(image + place_NO, x_NO, mask=exists_NO)


@triton.jit
def _first_layer(tile, inputs, dense, parameters, PLAN: tl.constexpr):
    """Layer 0's output N O, before the leaky ReLU."""
    x_NO = _biases(tile, parameters, 0, PLAN)
    for plane in range(inputs.num_label_planes):
        input_N = tl.load(inputs.label_inputs + plane) + labels(tile, inputs, plane)
        place_NO, exists_NO = weights(input_N, tile.exists, 0, PLAN)
        for k in range(tile.num_mlps):
            start = parameter_start(tile, k, PLAN)
            row_NO = tl.load(parameters + start + place_NO, mask=exists_NO, other=0).to(tl.float32)
            x_NO += times_share(row_NO, tile, k, PLAN)
    for first in range(0, inputs.num_dense, SLICE):
        input_C, place_NC, exists_NC = dense_inputs(tile, inputs, first)
        x_NC = tl.load(dense + place_NC, mask=exists_NC, other=0)
        x_NO = _add_product(tile, x_NC, input_C, input_C >= 0, x_NO, parameters, 0, PLAN)
    return x_NO


@triton.jit
def _layer(tile, x_NI, parameters, INDEX: tl.constexpr, PLAN: tl.constexpr):
    """The output N O of a further layer, before the leaky ReLU."""
    input_I = tl.arange(0, PLAN.layers[INDEX].padded_inputs)
    x_NO = _biases(tile, parameters, INDEX, PLAN)
    return _add_product(tile, x_NI, input_I, input_I < PLAN.layers[INDEX].inputs, x_NO, parameters, INDEX, PLAN)


@triton.jit
def _biases(tile, parameters, INDEX: tl.constexpr, PLAN: tl.constexpr):
    """What a layer returns for inputs of 0, N O."""
    output_O = tl.arange(0, PLAN.layers[INDEX].padded_outputs)
    x_NO = tl.full((PLAN.num_pixels, PLAN.layers[INDEX].padded_outputs), 0, tl.float32)
    for k in range(tile.num_mlps):
        place_O = parameter_start(tile, k, PLAN) + PLAN.layers[INDEX].start + output_O
        bias_O = tl.load(parameters + place_O, mask=output_O < PLAN.layers[INDEX].outputs, other=0).to(tl.float32)
        x_NO += times_share(bias_O[None, :], tile, k, PLAN)
    return x_NO


@triton.jit
def _add_product(tile, x_NI, input_I, exists_I, x_NO, parameters, INDEX: tl.constexpr, PLAN: tl.constexpr):
    """``x_NO`` plus these inputs' contribution to a layer's output."""
    place_IO, exists_IO = weights(input_I, exists_I, INDEX, PLAN)
    for k in range(tile.num_mlps):
        weight_IO = tl.load(parameters + parameter_start(tile, k, PLAN) + place_IO, mask=exists_IO, other=0)
        x_NO = tl.dot(times_share(x_NI, tile, k, PLAN), weight_IO, x_NO, input_precision=PLAN.precision)
    return x_NO


@triton.jit
def _activation(x_NO, parameters, PLAN: tl.constexpr):
    return tl.maximum(x_NO, x_NO * PLAN.negative_slope).to(parameters.dtype.element_ty)


@triton.jit(do_not_specialize=["num_rows", "num_columns", "num_tiles", "num_cells"])
def backward(
    parameters,
    dense,
    image,
    image_gradient,
    parameters_gradient,
    dense_gradient,
    rows,
    columns,
    inputs,
    num_rows,
    num_columns,
    num_tiles,
    num_cells,
    num_mlps,
    PLAN: tl.constexpr,
):
    """Adds to ``parameters_gradient`` and writes the image planes of ``dense_gradient``.

    Args:
        image: what ``forward`` wrote.
        image_gradient: laid out as the image.
        parameters_gradient: laid out as the parameters, float32.
        dense_gradient: laid out as ``dense``.

    For the others see ``forward``.
    """
    tile = tile_of_program(rows, columns, num_rows, num_columns, num_tiles, num_cells, num_mlps, PLAN)
    if tl.max(tile.exists.to(tl.int32), 0) == 0:
        return
    x_NO = _first_layer(tile, inputs, dense, parameters, PLAN)
    activations = ()
    for index in tl.static_range(1, len(PLAN.layers)):
        activations = activations + (_activation(x_NO, parameters, PLAN),)  # noqa: RUF005
        if index < len(PLAN.layers) - 1:
            x_NO = _layer(tile, activations[index - 1], parameters, index, PLAN)
    place_NO, exists_NO = outputs(tile, len(PLAN.layers) - 1, PLAN)
    gradient_NO = tl.load(image_gradient + place_NO, mask=exists_NO, other=0).to(tl.float32)
    if PLAN.tanh:
        tanh_NO = tl.load(image + place_NO, mask=exists_NO, other=0).to(tl.float32)
        gradient_NO *= 1 - tanh_NO * tanh_NO
    for step in tl.static_range(1, len(PLAN.layers)):
        x_NI = activations[len(activations) - step]
        gradient_NI = _layer_gradient(
            tile, x_NI, gradient_NO, parameters, parameters_gradient, len(PLAN.layers) - step, PLAN
        )
        gradient_NO = tl.where(x_NI > 0, gradient_NI, gradient_NI * PLAN.negative_slope)
    _add_bias_gradient(tile, gradient_NO, parameters_gradient, 0, PLAN)
    _add_row_gradients(tile, inputs, gradient_NO, parameters, parameters_gradient, PLAN)
    _dense_gradients(tile, inputs, dense, gradient_NO, parameters, parameters_gradient, dense_gradient, PLAN)


@triton.jit
def _layer_gradient(tile, x_NI, gradient_NO, parameters, parameters_gradient, INDEX: tl.constexpr, PLAN: tl.constexpr):
    """The gradient N I of a further layer's input. Adds that of its parameters."""
    _add_bias_gradient(tile, gradient_NO, parameters_gradient, INDEX, PLAN)
    input_I = tl.arange(0, PLAN.layers[INDEX].padded_inputs)
    return _product_gradient(
        tile,
        x_NI,
        input_I,
        input_I < PLAN.layers[INDEX].inputs,
        gradient_NO,
        parameters,
        parameters_gradient,
        INDEX,
        PLAN,
    )


@triton.jit
def _product_gradient(
    tile,
    x_NI,
    input_I,
    exists_I,
    gradient_NO,
    parameters,
    parameters_gradient,
    INDEX: tl.constexpr,
    PLAN: tl.constexpr,
):
    """The gradient N I of some inputs of a layer. Adds that of their weights."""
    gradient_NO = gradient_NO.to(x_NI.dtype)
    gradient_NI = tl.zeros(x_NI.shape, tl.float32)
    place_IO, exists_IO = weights(input_I, exists_I, INDEX, PLAN)
    for k in range(tile.num_mlps):
        place_kIO = parameter_start(tile, k, PLAN) + place_IO
        share_NO = times_share(gradient_NO, tile, k, PLAN)
        weight_IO = tl.load(parameters + place_kIO, mask=exists_IO, other=0)
        gradient_NI = tl.dot(share_NO, tl.trans(weight_IO), gradient_NI, input_precision=PLAN.precision)
        weight_gradient_IO = tl.dot(tl.trans(x_NI), share_NO, input_precision=PLAN.precision)
        tl.atomic_add(parameters_gradient + place_kIO, weight_gradient_IO, mask=exists_IO, sem="relaxed")
    return gradient_NI


@triton.jit
def _dense_gradients(
    tile, inputs, dense, gradient_NO, parameters, parameters_gradient, dense_gradient, PLAN: tl.constexpr
):
    """Adds the gradient of the weights of layer 0's dense inputs and writes that of the image planes."""
    for first in range(0, inputs.num_dense, SLICE):
        input_C, place_NC, exists_NC = dense_inputs(tile, inputs, first)
        x_NC = tl.load(dense + place_NC, mask=exists_NC, other=0)
        gradient_NC = _product_gradient(
            tile, x_NC, input_C, input_C >= 0, gradient_NO, parameters, parameters_gradient, 0, PLAN
        )
        is_plane_C = first + tl.arange(0, SLICE) < inputs.num_planes
        tl.store(dense_gradient + place_NC, gradient_NC, mask=exists_NC & is_plane_C[None, :])


@triton.jit
def _add_row_gradients(tile, inputs, gradient_NO, parameters, parameters_gradient, PLAN: tl.constexpr):
    """Adds the gradient of the rows of weights that labels select."""
    gradient_NO = gradient_NO.to(parameters.dtype.element_ty)
    for plane in range(inputs.num_label_planes):
        label_N = labels(tile, inputs, plane)
        for first in range(0, inputs.num_labels, SLICE):
            label_C = first + tl.arange(0, SLICE)
            one_hot_NC = label_N[:, None] == label_C[None, :]
            occurs_C = tl.max(one_hot_NC.to(tl.int32), 0) > 0
            one_hot_CN = tl.trans(one_hot_NC.to(gradient_NO.dtype))
            place_CO, exists_CO = weights(tl.load(inputs.label_inputs + plane) + label_C, occurs_C, 0, PLAN)
            for k in range(tile.num_mlps):
                place_kCO = parameter_start(tile, k, PLAN) + place_CO
                share_NO = times_share(gradient_NO, tile, k, PLAN)
                rows_gradient_CO = tl.dot(one_hot_CN, share_NO, input_precision=PLAN.precision)
                tl.atomic_add(parameters_gradient + place_kCO, rows_gradient_CO, mask=exists_CO, sem="relaxed")


@triton.jit
def _add_bias_gradient(tile, gradient_NO, parameters_gradient, INDEX: tl.constexpr, PLAN: tl.constexpr):
    output_O = tl.arange(0, PLAN.layers[INDEX].padded_outputs)
    exists_O = output_O < PLAN.layers[INDEX].outputs
    for k in range(tile.num_mlps):
        place_O = parameter_start(tile, k, PLAN) + PLAN.layers[INDEX].start + output_O
        bias_gradient_O = tl.sum(times_share(gradient_NO, tile, k, PLAN), 0)
        tl.atomic_add(parameters_gradient + place_O, bias_gradient_O, mask=exists_O, sem="relaxed")
