"""The pixelwise engine: evaluates a field of tiny MLPs at every pixel of a full-resolution guide."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.render.field import Guide, PixelMlp, PixelwiseField
from pixelwise.render.reference import render_reference

__all__ = ["ENGINES", "Guide", "PixelMlp", "PixelwiseField", "render"]

ENGINES: Mapping[str, Callable[[PixelwiseField, Guide], Tensor]] = {"reference": render_reference}


def render(field: PixelwiseField, guide: Guide, engine: str = "auto") -> Tensor:
    """The picture that ``field`` makes of ``guide``.

    Args:
        field: parameters of one MLP per cell; its cells must cover the guide.
        guide: what the MLPs read, B H W; any size the field covers, also one that is no multiple of the cell.
        engine: a name of ``ENGINES``, or "auto": the fastest one that can run here.

    Returns:
        B O H W, differentiable with respect to the field's parameters and the guide's image.

    Raises:
        InputError: an unknown engine, or a guide that does not fit the field.
    """
    if engine != "auto" and engine not in ENGINES:
        raise InputError(f"engine {engine!r} is not one of auto, {', '.join(ENGINES)}")
    field.check(guide)
    return ENGINES["reference" if engine == "auto" else engine](field, guide)
