"""Tiny pairs of one's own under a protocol of a few measures, and a model that makes nothing but black."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.evaluation import Examination, Setting, prepare
from pixelwise.evaluation.own_data import own_protocol


def examined(pairs: Path, *measures: str, **setting: object) -> Examination:
    protocol = replace(own_protocol(pairs, "val"), measures=measures)
    return prepare(Setting(protocol, pairs, device="cpu", **setting))  # type: ignore[arg-type]


def black(condition: Condition) -> Tensor:
    return torch.full((1, 3, *condition.size), -1.0)
