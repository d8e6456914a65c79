"""Products with a matrix that stays the same, packed once.

For the few cells of a low-resolution stream torch's own product takes twice as long: it packs the matrix in each call.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise import onednn


class PackedLinear:
    """``x @ weight.T + bias``.

    Args:
        weight: O I, of any type, on any device.
        bias: O; None for none.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        weight = weight.detach()
        self._is_packed = weight.device.type == "cpu" and weight.dtype == torch.float32 and onednn.is_there()
        self._weight = onednn.packed(weight) if self._is_packed else weight
        self._bias = bias if bias is None else bias.detach()

    def __call__(self, x: Tensor) -> Tensor:
        """… O of … I, without gradients."""
        if self._is_packed:
            return onednn.linear(x, self._weight, self._bias)
        return torch.nn.functional.linear(x, self._weight, self._bias)
