"""oneDNN's products of matrices, as torch's compiler emits them.

Torch's own products on a CPU are MKL's, which leaves the widest vectors of some processors unused: there oneDNN takes
half of the time. The operators are meant for torch's compiler, which promises nobody that they stay: so they are tried.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, negative_slope: float = 1.0) -> Tensor:
    """``x @ weight.T + bias``, perhaps with a leaky ReLU; float32 on the CPU, without gradients, if ``is_there``.

    Args:
        x: … I.
        weight: O I, or what ``packed`` made of it.
        bias: O; None for none.
        negative_slope: of the leaky ReLU; 1 for none.
    """
    activation = ("none", []) if negative_slope == 1 else ("leaky_relu", [negative_slope])
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, *activation, "")
    return product


def packed(weight: Tensor) -> Tensor:
    """A weight O I that stays the same, in the layout that products read; only for ``linear``."""
    made: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
    return made


@lru_cache(maxsize=1)
def is_there() -> bool:
    """Whether torch has these operators here, and they compute what they should."""
    numbers = torch.arange(96, dtype=torch.float32, device="cpu").view(6, 16) - 48
    x, weight, bias = numbers[:2], numbers[2:], numbers[0, :4]
    expected = x @ weight.t() + bias
    try:
        made = linear(x, packed(weight), bias)
        leaky = linear(x, weight.t().contiguous().t(), bias, 0.25)
    except (AttributeError, RuntimeError):
        return False
    return torch.equal(made, expected) and torch.equal(leaky, F.leaky_relu(expected, 0.25))
