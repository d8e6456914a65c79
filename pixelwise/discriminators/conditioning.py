"""What a conditional discriminator is shown: the condition and a picture as channels of one tensor."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.condition import Condition, ConditionSpec
from pixelwise.errors import InputError
from pixelwise.layers.semantics import semantic_planes


def num_input_channels(spec: ConditionSpec, picture_channels: int) -> int:
    """Channels of ``discriminator_input`` for conditions as ``spec`` promises and pictures of ``picture_channels``."""
    return spec.num_labels + spec.instances + spec.image_channels + picture_channels


def discriminator_input(condition: Condition, picture: Tensor, num_labels: int) -> Tensor:
    """Semantics first, then the picture to be judged, real or generated.

    Args:
        condition: B conditions of H W.
        picture: B C H W in [-1, 1].
        num_labels: channels of the one-hot label map (``ConditionSpec.num_labels``); not read without labels.

    Returns:
        B channels H W: one-hot labels, the condition's image, instance edges, each where present, and the picture.

    Raises:
        InputError: a picture of another size or batch size, or a label outside 0..num_labels - 1.
    """
    if len(picture) != len(condition) or tuple(picture.shape[-2:]) != condition.size:
        raise InputError(
            f"a picture of shape {tuple(picture.shape)} for {len(condition)} conditions of (height, width) "
            f"{condition.size}; expected {len(condition)} C {condition.size[0]} {condition.size[1]}"
        )
    image_channels = 0 if condition.image is None else condition.image.shape[1]
    labels = 0 if condition.labels is None else num_labels
    planes = semantic_planes(condition, labels, image_channels, edges=condition.instances is not None)
    return torch.cat([planes.to(picture.dtype), picture], dim=1)
