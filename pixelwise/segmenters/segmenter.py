"""What every segmenter offers, and what those have in common that are no models of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec


@dataclass(frozen=True)
class Segmenter:
    """A network that finds classes.

    Attributes:
        name: what to call it beside its figures.
        num_classes: that it tells apart.
        find: from pictures B 3 H W in [-1, 1] to class indices B H W int64 in 0..num_classes - 1, of the pictures' own
            size and on their device. Raises InputError where that cannot be.
        digest: SHA-256 of its file.
        features: from the same pictures to what it sees in each, B D; None where nobody has said which layer that is.
        remark: what must be said beside figures of the classes that it finds; empty: nothing.
    """

    name: str
    num_classes: int
    find: Callable[[Tensor], Tensor]
    digest: str
    features: Callable[[Tensor], Tensor] | None = None
    remark: str = ""


@dataclass(frozen=True)
class InputScale:
    """In which numbers a network reads pictures: between ``black`` and ``white``, then less ``mean``, over ``std``.

    Attributes:
        black, white: the numbers of the two, such as 0 and 1, or 0 and 255.
        mean, std: of red, green and blue, in the same numbers.
    """

    black: float = 0.0
    white: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        # JSON gives lists.
        object.__setattr__(self, "mean", tuple(self.mean))
        object.__setattr__(self, "std", tuple(self.std))
        if self.black == self.white or min(self.std) <= 0:
            raise InputError(
                "a network's input has black and white that differ and a std above 0, got black "
                f"{self.black:g}, white {self.white:g} and std {self.std}"
            )

    def of(self, pictures: Tensor) -> Tensor:
        """Pictures B 3 H W in [-1, 1] in these numbers, float32."""
        mean, std = (torch.tensor(three, device=pictures.device).view(3, 1, 1) for three in (self.mean, self.std))
        return ((pictures.float() + 1) / 2 * (self.white - self.black) + self.black - mean) / std


def check_classes(source: object, num_classes: int, spec: LabelSpec) -> None:
    """Raises InputError, with both numbers, for a network of other classes than label maps have."""
    if num_classes != spec.num_classes:
        raise InputError(f"{source}: tells {num_classes} classes apart, the label maps have {spec.num_classes}")


def differing_class(own: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Which class, the first of as many as are wanted, a network calls otherwise than the label maps do; in words."""
    for index, (name, other) in enumerate(zip(own, wanted, strict=True)):
        if name != other:
            return f"its class {index} is {name!r}, that of the label maps is {other!r}"
    return None
