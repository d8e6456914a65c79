"""Products with a matrix that stays the same, packed once.

For the few cells of a low-resolution stream torch's own product takes twice as long: it packs the matrix in each call.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


class PackedLinear:
    """``x @ weight.T + bias``.

    Args:
        weight: O I, of any type, on any device.
        bias: O; None for none.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        weight = weight.detach()
        self._is_packed = weight.device.type == "cpu" and weight.dtype == torch.float32 and _can_pack()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous()) if self._is_packed else weight
        self._bias = bias if bias is None else bias.detach()

    def __call__(self, x: Tensor) -> Tensor:
        """… O of … I, without gradients."""
        if self._is_packed:
            product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
            return product
        return torch.nn.functional.linear(x, self._weight, self._bias)


@lru_cache(maxsize=1)
def _can_pack() -> bool:
    """Whether torch has oneDNN's operators here. They are meant for its compiler, which promises nobody that they stay:
    so they are tried.
    """
    numbers = torch.arange(96, dtype=torch.float32, device="cpu").view(6, 16)
    x, weight = numbers[:2], numbers[2:]
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight)
        made = torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")
    except (AttributeError, RuntimeError):
        return False
    return torch.equal(made, x @ weight.t())
