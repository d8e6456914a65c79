"""What convolutions read of a condition: its parts as planes of one tensor."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.labels import instance_edges, one_hot

FindEdges = Callable[[Tensor], Tensor]
"""As ``pixelwise.labels.instance_edges``."""


def semantic_planes(condition: Condition, num_labels: int, image_channels: int, edges: bool) -> Tensor:
    """One-hot labels, then the image, then the edges of instances.

    Args:
        condition: B conditions of H W.
        num_labels: planes of the label map, don't care included; 0 to leave it out.
        image_channels: channels of the image; 0 to leave it out.
        edges: whether the borders of the instance map are read.

    Returns:
        B (num_labels + image_channels + edges) H W float32.

    Raises:
        InputError: something that is to be read is not there, has other channels, or labels beyond ``num_labels``.
    """
    planes = []
    if num_labels:
        planes.append(one_hot(labels_of(condition, num_labels), num_labels))
    return torch.cat([*planes, *_other_planes(condition, image_channels, edges, instance_edges)], dim=1)


def other_planes(
    condition: Condition, image_channels: int, edges: bool, find_edges: FindEdges = instance_edges
) -> Tensor | None:
    """What ``semantic_planes`` gives after the labels; None when there is nothing. Raises InputError as it does.

    Args:
        find_edges: the same as ``labels.instance_edges``, perhaps sooner.
    """
    planes = _other_planes(condition, image_channels, edges, find_edges)
    if len(planes) > 1:
        return torch.cat(planes, dim=1)
    return planes[0] if planes else None


def labels_of(condition: Condition, num_labels: int) -> Tensor:
    """B H W. Raises InputError where there are none."""
    if condition.labels is None:
        raise InputError(f"a label map of {num_labels} classes is needed, the condition has none")
    return condition.labels


def _other_planes(condition: Condition, image_channels: int, edges: bool, find_edges: FindEdges) -> list[Tensor]:
    planes = []
    if image_channels:
        found = 0 if condition.image is None else condition.image.shape[1]
        if condition.image is None or found != image_channels:
            raise InputError(f"an image of {image_channels} channels is needed, the condition has {found}")
        planes.append(condition.image)
    if edges:
        if condition.instances is None:
            raise InputError("an instance map is needed, the condition has none")
        planes.append(find_edges(condition.instances))
    return planes
