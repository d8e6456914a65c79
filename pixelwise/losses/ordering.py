"""What lies in front of what."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def ordering(differences: Tensor, shares: Tensor) -> Tensor:
    """The cross entropy of what lies in front in pairs of segments (RankNet, Burges et al., ICML 2005); a scalar.

    Args:
        differences: P, by how much the first one's height exceeds the second one's.
        shares: P in 0..1, how much speaks for the first one being in front. Without a pair the loss is 0.
    """
    return F.binary_cross_entropy_with_logits(differences, shares, reduction="sum") / max(1, len(shares))
