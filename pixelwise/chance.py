"""Torch's global random numbers: begun anew where a picture draws some, so that it comes out the same each time, and
not drawn where nobody reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import index
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pixelwise.errors import InputError

MAX_SEED = 2**63 - 1


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers on the CPU and on ``device`` from ``seed`` on, for as long as the context lasts.

    Afterwards they go on as if nothing had been drawn.
    """
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng([device] if on_gpu else []):
        # Not torch.manual_seed, which would seed all other GPUs too.
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def seeds_from(seed: int | None, count: int) -> range:
    """``count`` seeds from ``seed`` on, or from 0.

    Raises:
        InputError: less than one, seeds beyond 0..MAX_SEED, or what is no whole number.
    """
    try:
        first, count = index(0 if seed is None else seed), index(count)
    except TypeError as error:
        raise InputError(f"seed and samples are whole numbers, got {seed!r} and {count!r}") from error
    if count < 1:
        raise InputError(f"samples must be at least 1, got {count}")
    if not 0 <= first <= first + count - 1 <= MAX_SEED:
        raise InputError(f"seeds run from {first} to {first + count - 1}, expected 0..{MAX_SEED}")
    return range(first, first + count)


_DRAWING = frozenset([nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_, Tensor.uniform_, Tensor.normal_])
"""Where initial weights are drawn: what else torch offers for it ends in one of these."""


class NothingDrawn(TorchFunctionMode):
    """A context in which networks are built without random weights: those hold anything, for they are read from a file.

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
