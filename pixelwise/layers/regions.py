"""What belongs to a class: found over its region of a picture, and put where its region is in another."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def class_means(features: Tensor, planes: Tensor) -> Tensor:
    """The mean features of each class's pixels, 0 for a class that is not there: B K length.

    Args:
        features: B length H W.
        planes: B K H W, one-hot labels.
    """
    shares = planes / planes.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    return torch.einsum("bkhw,blhw->bkl", shares, features)


def painted(styles: Tensor, labels: Tensor) -> Tensor:
    """Each pixel's style: B K length and class indices B h w to B length h w."""
    batch, num_labels, _ = styles.shape
    first_rows = num_labels * torch.arange(batch, device=labels.device)[:, None, None]
    return F.embedding(labels + first_rows, styles.flatten(0, 1)).permute(0, 3, 1, 2)
