"""The layout of a picture: what stands where. Modulations read it at the resolution of the features they modulate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.labels import one_hot
from pixelwise.layers.semantics import labels_of, other_planes


@dataclass(frozen=True)
class Layout:
    """A condition at one resolution.

    Attributes:
        labels: B H W class indices, or None.
        num_labels: how many classes there are, don't care included.
        image: B C H W, a picture that is read beside the labels or instead of them; or None.
        edges: B 1 H W, the borders of instances; or None.
        offsets: B 2 H W, see ``position.centre_offsets``; or None.
        styles: B num_labels length, how each class looks; or None.
        pyramid: B C h w each, what a network has made of the layout at several sizes.
    """

    labels: Tensor | None
    num_labels: int
    image: Tensor | None = None
    edges: Tensor | None = None
    offsets: Tensor | None = None
    styles: Tensor | None = None
    pyramid: tuple[Tensor, ...] = ()

    @classmethod
    def of(cls, condition: Condition, num_labels: int, image_channels: int, edges: bool) -> Layout:
        """Raises InputError as ``semantics.semantic_planes``."""
        image = other_planes(condition, image_channels, edges=False)
        borders = other_planes(condition, 0, edges)
        return cls(labels_of(condition, num_labels) if num_labels else None, num_labels, image, borders)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = next(part for part in (self.labels, self.image) if part is not None).shape[-2:]
        return height, width

    def at(self, size: tuple[int, int]) -> Layout:
        """The same layout, resized by nearest neighbour (rounding down, as the published systems do)."""
        if size == self.size:
            return self
        labels = None if self.labels is None else _nearest(self.labels, size)
        image, edges, offsets = (
            None if part is None else F.interpolate(part, size) for part in (self.image, self.edges, self.offsets)
        )
        return replace(self, labels=labels, image=image, edges=edges, offsets=offsets)

    @cached_property
    def planes(self) -> Tensor:
        """One-hot labels, the image, the edges, and the pyramid's features of this size: B C H W."""
        labels = None if self.labels is None else one_hot(self.labels, self.num_labels)
        features = [level for level in self.pyramid if level.shape[-2:] == self.size]
        parts = [part for part in (labels, self.image, self.edges) if part is not None]
        return torch.cat([*parts, *features], dim=1)


def _nearest(labels: Tensor, size: tuple[int, int]) -> Tensor:
    # F.interpolate reads floats only.
    rows, columns = (
        torch.arange(new, device=labels.device) * old // new for old, new in zip(labels.shape[-2:], size, strict=True)
    )
    return labels[:, rows[:, None], columns]
