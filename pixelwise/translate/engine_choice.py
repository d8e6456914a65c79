"""Which engine renders a model's pictures on this machine, and why no faster one does."""

from __future__ import annotations

from itertools import takewhile

import torch

from pixelwise.condition import Condition
from pixelwise.models.asapnet import AsapNet
from pixelwise.render import ENGINES, PixelwiseField
from pixelwise.render.axis import axis
from pixelwise.render.engine import choose
from pixelwise.render.guide import Features
from pixelwise.translate.translator import Translator


def explain_choice(translator: Translator, engine: str = "auto") -> str:
    """A line for people.

    Args:
        translator: the model; what it would render is tried on a field of a few cells.
        engine: as for ``load``.

    Raises:
        InputError: an engine that was named, but cannot render this model's pictures here.
    """
    generator = translator.generator
    if not isinstance(generator, AsapNet):
        return f"engine: models of the family {translator.manifest.family} have none to choose from"
    field, features = _sample(generator, translator.device)
    chosen = choose(engine, field, features)
    if engine != "auto":
        return f"engine: {chosen}, as asked for"
    faster = takewhile(lambda name: name != chosen, ENGINES)
    reasons = [f"; not {name}: {ENGINES[name].missing() or ENGINES[name].unfit(field, features)}" for name in faster]
    return f"engine: {chosen}, the fastest that can render this model here{''.join(reasons)}"


@torch.inference_mode()
def _sample(generator: AsapNet, device: torch.device) -> tuple[PixelwiseField, Features]:
    """A small field of the network, and what its MLPs would read."""
    config = generator.config
    side = 2 * config.cell
    flat = torch.zeros(1, side, side, dtype=torch.int32, device=device)
    picture = torch.zeros(1, config.image_channels, side, side, dtype=torch.float32, device=device)
    condition = Condition(
        labels=flat if config.num_labels else None,
        instances=flat if config.instance_edges else None,
        image=picture if config.image_channels else None,
    )
    field = generator.field(condition)
    rows, columns = (axis(field, 0, side, 1.0, dim) for dim in (0, 1))
    return field, generator.guide(condition).at(rows, columns)
