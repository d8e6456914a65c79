"""What is measured: of every picture something small is observed, and figures are made of all that was observed.

So an evaluation is one pass over pictures, of which nothing large is kept: it can be interrupted, shared by several
processes, and be of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pixelwise.condition import PairedSample

Figures = Mapping[str, "float | Mapping[str, float]"]
"""By name; a mapping inside: class by class."""

Score = Callable[[Tensor, PairedSample], float]
"""From a picture, 1 C H W in [-1, 1], and its sample to one number."""


@dataclass(frozen=True)
class Measure:
    """One thing that is measured.

    Attributes:
        name: unmistakable: what observes differently has another name.
        observe: from a picture as it is compared, 1 C H W in [-1, 1], or class indices 1 H W, and its sample to a few
            numbers. NaN where nothing can be said of it.
        conclude: from what was observed of all pictures, in order, to figures. It may read more than once, and what it
            reads may come from a disk.
        caveat: from the same observations to what must be said beside the figures; None: nothing.
        remarks: what must be said beside them, and is known before anything is observed.
        without_target: whether pictures are judged by themselves, so that real ones may be judged in the same way.
    """

    name: str
    observe: Callable[[Tensor, PairedSample], np.ndarray]
    conclude: Callable[[Sequence[np.ndarray]], Figures]
    without_target: bool = False
    caveat: Callable[[Sequence[np.ndarray]], str | None] = lambda observations: None
    remarks: tuple[str, ...] = ()


def each(name: str, score: Score, without_target: bool = False) -> Measure:
    """A measure of single pictures; its figure is the mean over those of which something can be said."""

    def conclude(scores: Sequence[np.ndarray]) -> Figures:
        known = [float(score) for score in scores if not np.isnan(score)]
        return {name: float(np.mean(known)) if known else float("nan")}

    def caveat(scores: Sequence[np.ndarray]) -> str | None:
        infinite = sum(bool(np.isinf(score)) for score in scores)
        return f"{name} has no mean: it is infinite for {infinite} of {len(scores)} pictures" if infinite else None

    return Measure(name, lambda picture, sample: np.array(score(picture, sample)), conclude, without_target, caveat)
