"""What a generator is given, what it should have made of it, and what a data set promises about both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.labels import LabelSpec


@dataclass(frozen=True)
class Condition:
    """The input of a generator, always batched. Absent parts are None.

    Attributes:
        labels: B H W int, class indices (never one-hot: a model that needs planes expands them on its device).
        instances: B H W int, instance ids; only where they differ matters.
        image: B C H W float in [-1, 1].
        style: B 3 h w float in [-1, 1], a picture whose look is wanted; its size is its own.
        latent: B Z float.
    """

    labels: Tensor | None = None
    instances: Tensor | None = None
    image: Tensor | None = None
    style: Tensor | None = None
    latent: Tensor | None = None

    def __post_init__(self) -> None:
        sizes = {name: tuple(plane.shape[-2:]) for name, plane in self.planes().items()}
        if not sizes:
            raise InputError("a Condition needs labels, instances or an image")
        if len(set(sizes.values())) > 1:
            raise InputError(f"parts of one condition differ in size (height, width): {sizes}")
        lengths = {f.name: len(part) for f in fields(self) if (part := getattr(self, f.name)) is not None}
        if len(set(lengths.values())) > 1:
            raise InputError(f"parts of one condition differ in batch size: {lengths}")

    def planes(self) -> dict[str, Tensor]:
        """The parts that cover the image pixel by pixel, by name."""
        planes = {"labels": self.labels, "instances": self.instances, "image": self.image}
        return {name: plane for name, plane in planes.items() if plane is not None}

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = next(iter(self.planes().values())).shape[-2:]
        return height, width

    def __len__(self) -> int:
        return len(next(iter(self.planes().values())))

    def __getitem__(self, part: slice) -> Condition:
        """A part of the batch."""
        return self.map(lambda tensor: tensor[part])

    @property
    def device(self) -> torch.device:
        return next(iter(self.planes().values())).device

    def map(self, change: Callable[[Tensor], Tensor]) -> Condition:
        """The same condition with ``change`` applied to every part that is present."""
        return replace(
            self, **{f.name: change(part) for f in fields(self) if (part := getattr(self, f.name)) is not None}
        )

    def map_planes(self, change: Callable[[Tensor], Tensor]) -> Condition:
        """The same condition with ``change`` applied to labels, instances and image: to all that ends in H W."""
        return replace(self, **{name: change(plane) for name, plane in self.planes().items()})

    def to(self, device: torch.device | str) -> Condition:
        return self.map(lambda part: part.to(device))

    def padded(self, multiple: int, minimum: int = 1) -> Condition:
        """Extended below and to the right, by repeating the border, to a multiple of ``multiple`` in height and width.

        Args:
            multiple: pixels.
            minimum: the least height and width, a multiple of ``multiple`` itself. What stood at (y, x) stays there, so
                that cropping an output to ``size`` undoes it.
        """
        height, width = (max(minimum, -(-side // multiple) * multiple) for side in self.size)
        return self.extended(height, width)

    def extended(self, height: int, width: int) -> Condition:
        """Extended below and to the right, by repeating the border, to that size; not smaller than ``size``."""
        bottom, right = height - self.size[0], width - self.size[1]
        if not bottom and not right:
            return self
        return self.map_planes(lambda plane: _repeat_border(plane, bottom, right))


@dataclass(frozen=True)
class PairedSample:
    """A condition with the picture that belongs to it; one type for single samples (B = 1) and for batches.

    Attributes:
        condition: B conditions.
        target: B C H W float in [-1, 1], of the condition's size; or B H W class indices, where labels are to be found.
        names: B names, unique within a data set.
        valid: B 1 H W bool, where the target was measured; None: everywhere. In its holes the target means nothing.
    """

    condition: Condition
    target: Tensor
    names: tuple[str, ...]
    valid: Tensor | None = None

    def __post_init__(self) -> None:
        if tuple(self.target.shape[-2:]) != self.condition.size:
            raise InputError(
                f"{', '.join(self.names)}: condition is {_size_text(self.condition.size)}, "
                f"target is {_size_text(self.target.shape[-2:])} (width x height); they must be equal"
            )
        if not len(self.target) == len(self.condition) == len(self.names):
            raise InputError(
                f"{len(self.names)} names for {len(self.condition)} conditions and {len(self.target)} targets"
            )

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, part: slice) -> PairedSample:
        """A part of the batch."""
        valid = None if self.valid is None else self.valid[part]
        return PairedSample(self.condition[part], self.target[part], self.names[part], valid)

    def to(self, device: torch.device | str) -> PairedSample:
        valid = None if self.valid is None else self.valid.to(device)
        return replace(self, condition=self.condition.to(device), target=self.target.to(device), valid=valid)


@dataclass(frozen=True)
class ConditionSpec:
    """What a data set promises of every condition, and what a generator is built from.

    Attributes:
        labels: the classes, or None when conditions carry no label map.
        instances: whether instance maps are there.
        image_channels: channels of ``Condition.image``, 0 when there is none.
        style: whether a style picture is there.
    """

    labels: LabelSpec | None = None
    instances: bool = False
    image_channels: int = 0
    style: bool = False

    def __post_init__(self) -> None:
        if self.image_channels < 0:
            raise InputError(f"image_channels must be 0 or more, got {self.image_channels}")

    @property
    def num_labels(self) -> int:
        """Channels of the one-hot label map, don't care included; 0 without labels."""
        return 0 if self.labels is None else self.labels.num_channels

    def to_json(self) -> dict[str, Any]:
        return {
            "labels": None if self.labels is None else self.labels.to_json(),
            "instances": self.instances,
            "image_channels": self.image_channels,
            "style": self.style,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> ConditionSpec:
        """The inverse of ``to_json``. Raises InputError for unknown, missing or unfit fields."""
        try:
            labels = content["labels"]
            return from_fields(cls, {**content, "labels": None if labels is None else LabelSpec.from_json(labels)})
        except (KeyError, TypeError, InputError) as error:
            raise InputError(f"not a condition spec: {error}") from error


def stack(samples: Sequence[PairedSample]) -> PairedSample:
    """Samples of one size as one batch, in order.

    Raises:
        InputError: nothing to stack, samples of different sizes (named), or with different parts.
    """
    if not samples:
        raise InputError("no samples to stack")
    sizes = {sample.names[0]: _size_text(sample.condition.size) for sample in samples}
    if len(set(sizes.values())) > 1:
        raise InputError(
            f"samples of one batch differ in size (width x height): {sizes}; scale or crop them to one size"
        )
    return PairedSample(
        condition=stack_conditions([sample.condition for sample in samples]),
        target=torch.cat([sample.target for sample in samples]),
        names=tuple(name for sample in samples for name in sample.names),
        valid=_joined("valid", [sample.valid for sample in samples]),
    )


def stack_conditions(conditions: Sequence[Condition]) -> Condition:
    """Conditions of one size and with the same parts as one batch, in order. Raises InputError otherwise."""
    names = [field.name for field in fields(Condition)]
    return Condition(**{name: _joined(name, [getattr(condition, name) for condition in conditions]) for name in names})


def _joined(name: str, parts: Sequence[Tensor | None]) -> Tensor | None:
    present = [part for part in parts if part is not None]
    if present and len(present) != len(parts):
        raise InputError(f"{name}: present in {len(present)} of {len(parts)} samples of one batch")
    return torch.cat(present) if present else None


def _repeat_border(plane: Tensor, bottom: int, right: int) -> Tensor:
    if plane.is_floating_point():
        return F.pad(plane, (0, right, 0, bottom), mode="replicate")
    # F.pad replicates floats only, and ids must not pass through floats.
    plane = torch.cat([plane, plane[..., -1:, :].expand(*plane.shape[:-2], bottom, plane.shape[-1])], dim=-2)
    return torch.cat([plane, plane[..., :, -1:].expand(*plane.shape[:-1], right)], dim=-1)


def _size_text(size: Sequence[int]) -> str:
    return f"{size[-1]}x{size[-2]}"
