"""Which engine renders a model's pictures on this machine, and why no faster one does."""

from __future__ import annotations

from itertools import takewhile

import torch

from pixelwise.models.asapnet import AsapNet
from pixelwise.render import ENGINES
from pixelwise.render.engine import choose, one_cell
from pixelwise.translate.translator import Translator


def explain_choice(translator: Translator, engine: str = "auto") -> str:
    """A line for people.

    Args:
        translator: the model.
        engine: as for ``load``.

    Raises:
        InputError: an engine that was named, but cannot render this model's pictures here.
    """
    generator = translator.generator
    if not isinstance(generator, AsapNet):
        return f"engine: models of the family {translator.manifest.family} have none to choose from"
    field, features = one_cell(generator.config.mlp, torch.float32, translator.device)
    chosen = choose(engine, field, features)
    if engine != "auto":
        return f"engine: {chosen}, as asked for"
    faster = takewhile(lambda name: name != chosen, ENGINES)
    reasons = [f"; not {name}: {ENGINES[name].missing() or ENGINES[name].unfit(field, features)}" for name in faster]
    return f"engine: {chosen}, the fastest that can render this model here{''.join(reasons)}"
