"""How learning rates change over a run."""

from __future__ import annotations

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
