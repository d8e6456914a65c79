"""What a step of training takes, of a model in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pixelwise.checkpoint import load_checkpoint
from pixelwise.condition import Condition
from pixelwise.evaluation.training_memory import _bytes_of_first_step, training_bytes
from pixelwise.metrics.complexity import num_parameters


def test_a_step_holds_gradients_and_two_moments_at_least(model: Path) -> None:
    content = model.read_bytes()
    grown = _bytes_of_first_step(str(model), Condition(image=torch.zeros(1, 1, 512, 512)), "cpu", 1)
    generator = load_checkpoint(model).generator
    assert isinstance(generator, torch.nn.Module)
    # Beyond three times the weights, the activations of a layer of two channels.
    assert grown is None or grown >= 3 * 4 * num_parameters(generator) + 2 * 4 * 512 * 512
    assert model.read_bytes() == content


@pytest.mark.slow
def test_a_step_that_cannot_be_taken_is_none(model: Path) -> None:
    assert training_bytes(str(model), Condition(image=torch.zeros(1, 3, 8, 8)), "cpu") is None
    grown = training_bytes(str(model), Condition(image=torch.zeros(1, 1, 512, 512)), "cpu")
    assert grown is None or grown > 0
