"""What every data set promises to those who train and evaluate."""

from __future__ import annotations

from typing import Protocol

from pixelwise.condition import ConditionSpec, PairedSample
from pixelwise.data.degrade import Degrade
from pixelwise.images import ImageSpec, TargetSpec


class PairedData(Protocol):
    """Pairs of a condition and its picture, by number."""

    @property
    def spec(self) -> ConditionSpec:
        """What every condition holds."""

    @property
    def image(self) -> ImageSpec | None:
        """How ``Condition.image`` was stored; None when there is none."""

    @property
    def target(self) -> TargetSpec:
        """How the targets were stored: pictures, or label maps."""

    @property
    def degrade(self) -> Degrade | None:
        """What makes ``Condition.image`` from the target, for ``Augment`` to do afresh; None where pairs are given."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name per sample, in order, each only once."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> PairedSample:
        """One sample (B = 1), the same at every call: whatever varies from epoch to epoch is ``Augment``'s."""
