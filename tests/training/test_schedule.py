from dataclasses import replace

import pytest
import torch

from pixelwise.training import TrainConfig
from pixelwise.training.processes import Processes
from pixelwise.training.run import prepare
from pixelwise.training.schedule import learning_rate_factor, set_learning_rates


@pytest.mark.parametrize(
    ("constant_steps", "factors"),
    [
        (2, [1, 1, 1, 0.75, 0.5, 0.25, 0]),
        (0, [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0]),
        (5, [1, 1, 1, 1, 1, 1, 0]),
        (6, [1, 1, 1, 1, 1, 1, 0]),
        (9, [1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_rates_are_constant_then_fall_to_zero(constant_steps: int, factors: list[float]):
    assert [learning_rate_factor(step, constant_steps, 6) for step in range(7)] == pytest.approx(factors)


def test_each_player_has_its_own_rate(config: TrainConfig):
    config = replace(config, learning_rate=1e-3, discriminator_learning_rate=4e-3, steps=10, constant_steps=5)
    game = prepare(config, Processes(0, 1, torch.device("cpu"))).game
    for step, factor in ((0, 1.0), (5, 1.0), (9, 0.2)):
        set_learning_rates(game, config, step)
        rates = [player.optimiser.param_groups[0]["lr"] for player in (game.generator, game.discriminator)]
        assert rates == pytest.approx([1e-3 * factor, 4e-3 * factor])
