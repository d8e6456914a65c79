"""Networks whose weights come from a file are built without drawing any before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_DRAWING = frozenset([nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_, Tensor.uniform_, Tensor.normal_])
"""What draws: torch's other functions for initial weights end in one of these."""


class NothingDrawn(TorchFunctionMode):
    """A context in which initial weights hold anything, for they will be replaced.

    To draw them takes longer than to read them; and on the meta device it imports torch's compiler.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: Sequence[Any] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = keywords or {}
        if function in _DRAWING:
            return keywords["tensor"] if "tensor" in keywords else arguments[0]
        return function(*arguments, **keywords)
