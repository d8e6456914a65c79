"""Whether gradients reach all that is to learn."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def awake(network: Network) -> Network:
    """The network, with positive numbers for parameters that start at 0: through those nothing before them would learn,
    and a ReLU after them might let nothing through."""
    for parameter in network.parameters():
        if not parameter.any():
            parameter.uniform_(0.1, 0.2)
    return network


def assert_reached(network: nn.Module, but: tuple[str, ...] = ()) -> None:
    """All weights have finite gradients that are not 0 everywhere, except those whose names begin as in ``but``, which
    have none.
    """
    gradients = {name: weight.grad for name, weight in network.named_parameters()}
    missed = {name for name, gradient in gradients.items() if gradient is None or not gradient.any()}
    assert missed == {name for name in gradients if name.startswith(but)}
    for name, gradient in gradients.items():
        assert gradient is None or gradient.isfinite().all(), name
