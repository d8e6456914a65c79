"""Finds what cannot be captured in a CUDA graph, without a GPU: tensors on the device "meta" have no values.

There asking for a value fails, as it would in a capture; copies from the host are found here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class NoCopiesFromHost(TorchFunctionMode):
    """Fails where a call makes a tensor on "meta" of values from the host: of more than the one that kernels take."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        result = function(*arguments, **(options or {}))
        if isinstance(result, Tensor) and result.device.type == "meta":
            sources = [*_tensors(arguments), *_tensors(list((options or {}).values()))]
            copied = any(source.device.type == "cpu" and source.dim() for source in sources)
            assert not copied, f"{function} copies from the host"
            assert function not in (torch.tensor, torch.as_tensor), "a tensor is made of numbers of the host"
        return result


def _tensors(values: object) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list):
        for value in values:
            yield from _tensors(value)
