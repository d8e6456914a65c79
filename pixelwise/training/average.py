"""The exponential moving average of a generator's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class WeightAverage:
    """Follows a module: ``averaged`` is a copy whose weights trail behind it.

    Early on the decay is smaller, (1 + n) / (10 + n) after n updates, so that the random start is soon forgotten.

    Args:
        module: the one to follow.
        decay: in [0, 1); 0 makes ``averaged`` equal to the module.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.averaged = copy.deepcopy(module).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, module: nn.Module, num_updates: int) -> None:
        """Moves ``averaged`` a step towards ``module``; statistics such as batch norm's are copied.

        Args:
            module: the one followed, after its step.
            num_updates: how many updates there were before this one.
        """
        decay = min(self.decay, (1 + num_updates) / (10 + num_updates))
        for average, parameter in zip(self.averaged.parameters(), module.parameters(), strict=True):
            average.lerp_(parameter, 1 - decay)
        for kept, buffer in zip(self.averaged.buffers(), module.buffers(), strict=True):
            kept.copy_(buffer)
