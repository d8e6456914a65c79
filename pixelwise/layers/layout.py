"""The layout of a picture: what stands where. Modulations read it at the resolution of the features they modulate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.labels import check_range, one_hot
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
        features: B C h w each, what networks have made of the layout or found for its objects; those of a size are
            planes of the layout at that size.
    """

    labels: Tensor | None
    num_labels: int
    image: Tensor | None = None
    edges: Tensor | None = None
    offsets: Tensor | None = None
    styles: Tensor | None = None
    features: tuple[Tensor, ...] = ()

    @classmethod
    def of(cls, condition: Condition, num_labels: int, image_channels: int, edges: bool) -> Layout:
        """Raises InputError as ``semantics.semantic_planes``."""
        labels = labels_of(condition, num_labels) if num_labels else None
        if labels is not None:
            check_range(labels, num_labels)
            labels = labels.long()  # rows are gathered by no narrower type
        image = other_planes(condition, image_channels, edges=False)
        return cls(labels, num_labels, image, other_planes(condition, 0, edges))

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
        """One-hot labels, the image, the edges, and the features of this size: B C H W."""
        labels = None if self.labels is None else one_hot(self.labels, self.num_labels)
        return joined([part for part in (labels, self.other_planes) if part is not None])

    @cached_property
    def other_planes(self) -> Tensor | None:
        """What ``planes`` has after the labels: B C H W; None when there is nothing."""
        features = [planes for planes in self.features if planes.shape[-2:] == self.size]
        parts = [part for part in (self.image, self.edges, *features) if part is not None]
        return joined(parts) if parts else None


def joined(parts: Sequence[Tensor]) -> Tensor:
    """B C H W each, one behind the other along the channels; the result is in memory channels last.

    So are one-hot planes and rows that were gathered. ``torch.cat`` would not keep it: of a single plane it cannot tell
    the layout, takes the result for contiguous, and goes through it in strides.
    """
    if len(parts) == 1:
        return parts[0]
    return torch.cat([part.movedim(1, -1) for part in parts], dim=-1).movedim(-1, 1)


def _nearest(labels: Tensor, size: tuple[int, int]) -> Tensor:
    # F.interpolate reads floats only.
    rows, columns = (
        torch.arange(new, device=labels.device) * old // new for old, new in zip(labels.shape[-2:], size, strict=True)
    )
    return labels[:, rows[:, None], columns]
