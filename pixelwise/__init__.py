"""Translates images at full resolution fast: spatially adaptive pixelwise networks and their rivals."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pixelwise.version import VERSION

if TYPE_CHECKING:
    from pixelwise.adopt import adopt
    from pixelwise.condition import Condition
    from pixelwise.errors import InputError
    from pixelwise.evaluation import evaluate
    from pixelwise.labels import LabelSpec
    from pixelwise.training import TrainConfig, train
    from pixelwise.translate import Translator, load

__version__ = VERSION
__all__ = ["Condition", "InputError", "LabelSpec", "TrainConfig", "Translator", "adopt", "evaluate", "load", "train"]

_HOMES = {
    "Condition": "condition",
    "InputError": "errors",
    "LabelSpec": "labels",
    "TrainConfig": "training",
    "Translator": "translate",
    "adopt": "adopt",
    "evaluate": "evaluation",
    "load": "translate",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    # Names are looked up when first used: importing torch takes two seconds, which `pixelwise --help` doesn't have.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"pixelwise.{_HOMES[name]}"), name)
