"""The loss of those who find classes in pictures."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError


def cross_entropy(logits: Tensor, labels: Tensor, num_labelled: Tensor | None = None) -> Tensor:
    """The mean negative log-likelihood of the right class, over all pixels that have one; 0 if none has. A scalar.

    Args:
        logits: B C H W, C classes.
        labels: B H W class indices; C stands for don't care.
        num_labelled: what the sum is divided by, if not by the pixels here that have a class: of a portion of a batch,
            how many a portion has on average.

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
    count = count_labelled(labels, num_classes) if num_labelled is None else num_labelled
    return total / count.where(count > 0, 1)


def count_labelled(labels: Tensor, num_classes: int) -> Tensor:
    """How many pixels of ``labels`` B H W have a class, a scalar; the index ``num_classes`` stands for don't care."""
    return (labels != num_classes).sum()
