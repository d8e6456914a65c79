"""What learns at each step of a run, and at which rate."""

from __future__ import annotations

from torch import nn

from pixelwise.models import family_of
from pixelwise.training.config import TrainConfig
from pixelwise.training.step import Game


def learning_rate_factor(step: int, constant_steps: int, steps: int) -> float:
    """1 for the first ``constant_steps``, then linearly to 0 at ``steps``.

    Args:
        step: steps done so far.
        constant_steps: at ``steps`` or beyond, the rate never falls.
        steps: of the whole run.
    """
    if step < constant_steps:
        return 1.0
    return (steps - step) / max(1, steps - constant_steps)


def set_learning_rates(game: Game, config: TrainConfig, step: int) -> None:
    """Sets both players' rates for the step that follows ``step`` done ones."""
    factor = learning_rate_factor(step, config.constant_steps, config.steps)
    players = [(game.generator, config.learning_rate), (game.discriminator, config.discriminator_learning_rate)]
    for player, rate in players:
        if player is not None:
            for group in player.optimiser.param_groups:
                group["lr"] = rate * factor


def hold_still(generator: nn.Module, config: TrainConfig, step: int) -> None:
    """For the step that follows ``step`` done ones, lets either all weights learn or, while the ``frozen_steps`` last,
    only those that the coarser model did not have."""
    growth, frozen = family_of(config.model).growth, step < config.frozen_steps
    generator.requires_grad_(not frozen)
    if growth is not None and frozen:
        for parameter in growth.added(generator):
            parameter.requires_grad_(True)
