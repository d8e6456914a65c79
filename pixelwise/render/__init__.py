"""The pixelwise engine: evaluates a field of tiny MLPs at every pixel of a full-resolution guide."""

from __future__ import annotations

import math

from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.render.axis import axis
from pixelwise.render.engine import ENGINES, choose
from pixelwise.render.field import PixelMlp, PixelwiseField, num_code_channels
from pixelwise.render.guide import Guide
from pixelwise.render.window import Window, centre, covered

__all__ = ["ENGINES", "Guide", "PixelMlp", "PixelwiseField", "Window", "render"]


def render(
    field: PixelwiseField, guide: Guide, engine: str = "auto", *, window: Window | None = None, scale: float = 1.0
) -> Tensor:
    """The picture that ``field`` makes of ``guide``.

    Args:
        field: parameters of one MLP per cell; its cells must cover the guide.
        guide: what the MLPs read, B H W; any size the field covers, also one that is no multiple of the cell.
        engine: a name of ``ENGINES``, or "auto": the fastest one that can run here and has what is asked for.
        window: the part to render, in pixels of the whole output; None for all that the guide covers.
        scale: pixels of the output per pixel of the guide. The field is a continuous function of the position, so it
            can be evaluated between pixels: labels are those of the nearest pixel, images are interpolated.

    Returns:
        B O H W, H W being the window's. Differentiable with respect to the field's parameters and the guide's image:
        where gradients are asked for, "auto" chooses an engine that has them.

    Raises:
        InputError: an unknown engine or one that cannot do this, a guide whose parts do not fit each other or the
            field, a scale that is not positive, or a window that reaches beyond the guide.
    """
    _check_inputs(field, guide)
    whole = covered(guide.size, guide.origin, scale)
    window = window or whole
    if not whole.contains(window):
        raise InputError(f"the window {window} reaches beyond the image, which is {whole}")
    _check_covers(field, window, scale)
    rows = axis(field, window.top, window.height, scale, dim=0)
    columns = axis(field, window.left, window.width, scale, dim=1)
    features = guide.at(rows, columns)
    return ENGINES[choose(engine, field, features)].render(field, features, rows, columns)


def _check_inputs(field: PixelwiseField, guide: Guide) -> None:
    """Raises InputError unless the guide has as many pictures as the field and the channels that the MLP reads, and the
    field its parameters. Kernels would read beyond what there is."""
    if not guide.batch == len(field.parameters) > 0:
        raise InputError(f"the field is of {len(field.parameters)} pictures, the guide of {guide.batch}")
    guide.check()
    channels = guide.num_channels + (num_code_channels(field.cell) if field.pixel_code else 0)
    if channels != field.mlp.widths[0]:
        raise InputError(f"guide and pixel code have {channels} channels, the MLP reads {field.mlp.widths[0]}")
    if field.parameters.shape[1] != field.mlp.num_parameters:
        raise InputError(f"{field.parameters.shape[1]} parameters per cell, the MLP has {field.mlp.num_parameters}")


def _check_covers(field: PixelwiseField, window: Window, scale: float) -> None:
    """Raises InputError unless every pixel's centre lies in one of the field's cells."""
    for name, start, side, first, cells in zip(
        ("rows", "columns"),
        (window.top, window.left),
        (window.height, window.width),
        field.first_cell,
        field.parameters.shape[-2:],
        strict=True,
    ):
        low, high = (math.floor(centre(pixel, scale)) for pixel in (start, start + side - 1))
        if low < first * field.cell or high >= (first + cells) * field.cell:
            raise InputError(
                f"the image is larger than its field: {name} {low} to {high}, "
                f"the cells cover {first * field.cell} to {(first + cells) * field.cell - 1}"
            )
