"""The loss of those who find classes in pictures."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean negative log-likelihood of the right class, over all pixels that have one; 0 if none has. A scalar.

    Args:
        logits: B C H W, C classes.
        labels: B H W class indices; C stands for don't care.

    Raises:
        InputError: labels that are no class indices, or of another size.
    """
    if labels.is_floating_point() or labels.shape != (len(logits), *logits.shape[2:]):
        raise InputError(
            f"logits are {tuple(logits.shape)}, labels {tuple(labels.shape)} of {labels.dtype}; expected class indices "
            "of the same height and width"
        )
    num_classes = logits.shape[1]
    total = F.cross_entropy(logits.float(), labels.long(), ignore_index=num_classes, reduction="sum")
    return total / (labels != num_classes).sum().clamp(min=1)
