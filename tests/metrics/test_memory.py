"""Memory of pictures and of steps of training, against what must be there at least."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.metrics.complexity import CPU
from pixelwise.metrics.memory import grown_bytes, training_step
from pixelwise.models.family import Translation

MIB = 1 << 20


class Wide(nn.Module):
    """A generator of many weights and hardly any activations."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2048, 2048)

    def forward(self, condition: Condition) -> Translation:
        assert condition.image is not None
        return Translation(self.layer(condition.image))


def test_the_peak_counts_and_the_result_does_not() -> None:
    def run() -> Tensor:
        torch.ones(32 * MIB // 4)
        return torch.ones(16 * MIB // 4)

    grown = grown_bytes(run, CPU)
    assert grown is None or 15 * MIB <= grown < 48 * MIB


def test_a_step_takes_gradients_and_two_moments() -> None:
    generator = Wide()
    weights = 4 * sum(parameter.numel() for parameter in generator.parameters())
    before = generator.layer.weight.detach().clone()
    grown = grown_bytes(training_step(generator, Condition(image=torch.rand(1, 3, 4, 2048))), CPU)
    assert not torch.equal(generator.layer.weight, before)
    assert grown is None or 3 * weights < grown < 6 * weights
