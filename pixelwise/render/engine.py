"""Ways to render, all of them equal to the reference: what each needs, and which one "auto" means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.native import library
from pixelwise.render import gpu, native
from pixelwise.render.axis import Axis
from pixelwise.render.field import PixelMlp, PixelwiseField
from pixelwise.render.guide import Features
from pixelwise.render.lookup import render_lookup
from pixelwise.render.reference import render_reference

Render = Callable[[PixelwiseField, Features, Axis, Axis], Tensor]
"""(field, features at the output's pixels, its rows, its columns) -> B O H W of the field's dtype, on its device."""


def _nothing_missing() -> str | None:
    return None


def _fits_all(field: PixelwiseField, features: Features) -> str | None:
    return None


@dataclass(frozen=True)
class Engine:
    """One way to render.

    Attributes:
        render: what it does.
        missing: why it cannot run on this machine, or None if it can.
        unfit: why it cannot render this field and these features, or None if it can.
    """

    render: Render
    missing: Callable[[], str | None] = _nothing_missing
    unfit: Callable[[PixelwiseField, Features], str | None] = _fits_all


ENGINES: Mapping[str, Engine] = {
    "gpu": Engine(gpu.render_gpu, gpu.missing, gpu.unfit),
    "native": Engine(native.render_native, library.missing, native.unfit),
    "torch": Engine(render_lookup),
    "reference": Engine(render_reference),
}
"""By name, fastest first: "auto" is the first one that can."""


def choose(name: str, field: PixelwiseField, features: Features) -> str:
    """The name of the engine that ``name`` means for this.

    Raises:
        InputError: no engine of that name, or one that cannot run here or render this.
    """
    if name == "auto":
        return next(name for name, engine in ENGINES.items() if not (engine.missing() or engine.unfit(field, features)))
    if name not in ENGINES:
        raise InputError(f"engine {name!r} is not one of auto, {', '.join(ENGINES)}")
    engine = ENGINES[name]
    if reason := engine.missing() or engine.unfit(field, features):
        raise InputError(f"engine {name!r} cannot be used: {reason}")
    return name


def choose_for(name: str, mlp: PixelMlp, dtype: torch.dtype, device: torch.device) -> str:
    """The name of the engine that ``name`` means for fields of such MLPs, whatever the guide. Raises as ``choose``."""
    return choose(name, *one_cell(mlp, dtype, device))


def one_cell(mlp: PixelMlp, dtype: torch.dtype, device: torch.device) -> tuple[PixelwiseField, Features]:
    """A field of such MLPs, and what they read, by which engines tell what they can render; not to be rendered."""
    parameters = torch.empty(1, mlp.num_parameters, 1, 1, dtype=dtype, device=device)
    return PixelwiseField(parameters, mlp, cell=1), Features([], 0, [])
