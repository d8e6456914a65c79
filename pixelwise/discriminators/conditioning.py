"""What a conditional discriminator is shown: the condition and a picture as channels of one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pixelwise.condition import Condition, ConditionSpec
from pixelwise.errors import InputError
from pixelwise.layers.pyramid import pyramid
from pixelwise.layers.semantics import semantic_planes


def num_input_channels(spec: ConditionSpec, picture_channels: int) -> int:
    """Channels of ``discriminator_inputs`` for conditions as ``spec`` promises and pictures of ``picture_channels``."""
    return spec.num_labels + spec.instances + spec.image_channels + picture_channels


def discriminator_inputs(condition: Condition, pictures: Sequence[Tensor], num_labels: int) -> list[Tensor]:
    """Semantics first, reduced to the size of each picture, then the picture to be judged, real or generated.

    Args:
        condition: B conditions of H W.
        pictures: B C H W in [-1, 1], then each half the size of the one before (rounded up).
        num_labels: channels of the one-hot label map (``ConditionSpec.num_labels``); not read without labels.

    Returns:
        For each picture B channels H W: one-hot labels, the condition's image, instance edges, each where present, and
        the picture.

    Raises:
        InputError: a picture of another size or batch size, or a label outside 0..num_labels - 1.
    """
    image_channels = 0 if condition.image is None else condition.image.shape[1]
    labels = 0 if condition.labels is None else num_labels
    planes = semantic_planes(condition, labels, image_channels, edges=condition.instances is not None)
    return [_joined(*level) for level in zip(pyramid(planes, len(pictures)), pictures, strict=True)]


def _joined(planes: Tensor, picture: Tensor) -> Tensor:
    height, width = planes.shape[-2:]
    if len(picture) != len(planes) or picture.shape[-2:] != planes.shape[-2:]:
        raise InputError(
            f"a picture of shape {tuple(picture.shape)} for {len(planes)} conditions of (height, width) "
            f"{(height, width)}; expected {len(planes)} C {height} {width}"
        )
    return torch.cat([planes.to(picture.dtype), picture], dim=1)
