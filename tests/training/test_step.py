from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from tiny_run import WITH_ADVERSARY, WITHOUT_ADVERSARY
from torch import Tensor, nn

from pixelwise.condition import Condition, PairedSample, stack
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.layers.pyramid import pyramid
from pixelwise.losses.objective import Objective
from pixelwise.models.family import Translation
from pixelwise.models.msgunet import MsgUNetConfig
from pixelwise.training import TrainConfig
from pixelwise.training.batches import batches, portions_of
from pixelwise.training.processes import Processes
from pixelwise.training.run import prepare
from pixelwise.training.step import Diverged, Game, Losses, Player, update_discriminator, update_generator

ALONE = Processes(0, 1, torch.device("cpu"))


def prepared(config: TrainConfig) -> tuple[Game, PairedSample]:
    """A game under plain gradient descent, whose steps are the gradients (Adam would hide their sizes), and a batch."""
    run = prepare(replace(config, batch_size=4), ALONE)
    game = replace(run.game, generator=with_plain_descent(run.game.generator))
    if game.discriminator is not None:
        game = replace(game, discriminator=with_plain_descent(game.discriminator))
    return game, next(iter(batches(run.samples, run.config, ALONE, first_step=0)))


def with_plain_descent(player: Player) -> Player:
    return replace(player, optimiser=torch.optim.SGD(player.network.parameters(), lr=1.0))


def weights(player: Player) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in player.network.parameters()])


def settle(game: Game) -> None:
    """Until more power iterations no longer change spectral norm's estimate."""
    if game.discriminator is not None:
        for _ in range(300):
            game.discriminator.network(torch.zeros(1, 8, 16, 16))


def generator_step(config: TrainConfig, num_portions: int) -> tuple[Tensor, Losses]:
    game, batch = prepared(config)
    settle(game)
    before = weights(game.generator)
    _, losses = update_generator(game, portions_of(batch, num_portions))
    return weights(game.generator) - before, losses


def discriminator_step(config: TrainConfig, num_portions: int) -> tuple[Tensor, Losses]:
    game, batch = prepared(config)
    settle(game)
    assert game.discriminator is not None
    before = weights(game.discriminator)
    portions = portions_of(batch, num_portions)
    losses = update_discriminator(game, game.discriminator, portions, [[-portion.target] for portion in portions])
    return weights(game.discriminator) - before, losses


@pytest.mark.parametrize("objective", [WITHOUT_ADVERSARY, WITH_ADVERSARY])
def test_portions_make_the_generators_step_of_the_whole_batch(config: TrainConfig, objective: Objective):
    """With an adversary, up to spectral norm's estimate, which every portion improves."""
    config = replace(config, objective=objective)
    whole, losses = generator_step(config, 1)
    for num_portions in (2, 4):
        parts, sums = generator_step(config, num_portions)
        assert (parts - whole).norm() < 1e-5 * whole.norm()
        torch.testing.assert_close(sums, losses)


class Linear(nn.Module):
    """From a picture of three channels to itself, weighed: as logits, and in the mean as a posterior.

    Nothing is learned of black ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -1.0, 2.0]))

    def forward(self, condition: Condition) -> Translation:
        planes = condition.image * self.weight.view(1, 3, 1, 1)
        mean = planes.mean((2, 3))
        return Translation(planes, posterior=(mean, torch.zeros_like(mean)))


UNEVEN = {
    "kl": Objective(adversarial=None, perceptual=0.0),
    "cross_entropy": Objective(adversarial=None, perceptual=0.0, kl=0.0, cross_entropy=2.0),
}
"""Losses that are no means over pictures: a sum over all of them, and a mean over pixels that have a class."""


def linear_step(objective: Objective, portions: list[PairedSample], processes: Processes = ALONE) -> Tensor:
    """Gradients of the three weights, then the losses."""
    network, scaler = Linear(), torch.amp.GradScaler("cpu", enabled=False)
    judged = Player(network, torch.optim.SGD(network.parameters(), 1.0), scaler, 0.0, processes)
    game = Game(judged, None, objective, 0, None, nullcontext, num_classes=3)
    before = weights(judged)
    _, losses = update_generator(game, portions)
    return torch.cat([before - weights(judged), torch.stack([*losses.values()])])


def uneven_batch() -> PairedSample:
    """Four pictures; 3, 2, 4 and none of their four pixels have a class. The last one is black."""
    random = torch.Generator().manual_seed(0)
    pictures = torch.rand(4, 3, 2, 2, generator=random)
    pictures[3] = 0
    labels = torch.tensor([[0, 1, 2, 3], [3, 1, 2, 3], [1, 1, 0, 2], [3, 3, 3, 3]]).view(4, 2, 2)
    return PairedSample(Condition(image=pictures), labels, tuple("abcd"))


@pytest.mark.parametrize("term", UNEVEN)
@pytest.mark.parametrize("num_portions", [2, 4])
def test_portions_weigh_in_what_is_no_mean_over_pictures_as_the_whole_batch_does(term: str, num_portions: int):
    batch = uneven_batch()
    whole = linear_step(UNEVEN[term], [batch])
    assert whole.abs().min() > 1e-3
    torch.testing.assert_close(linear_step(UNEVEN[term], portions_of(batch, num_portions)), whole)


@pytest.mark.parametrize("term", UNEVEN)
def test_so_do_processes(term: str, monkeypatch: pytest.MonkeyPatch):
    """The other one has the black picture without classes: all that it adds are zeros."""
    monkeypatch.setattr("torch.distributed.all_reduce", lambda tensor: None)
    black = uneven_batch()[3:]
    seen = uneven_batch()[:1]
    shared = linear_step(UNEVEN[term], [seen], Processes(0, 2, torch.device("cpu")))
    torch.testing.assert_close(shared, linear_step(UNEVEN[term], [stack([seen, black])]))


def test_portions_make_the_discriminators_step_of_the_whole_batch(config: TrainConfig):
    whole, losses = discriminator_step(config, 1)
    parts, sums = discriminator_step(config, 2)
    assert (parts - whole).norm() < 1e-5 * whole.norm()
    torch.testing.assert_close(sums, losses)


def test_one_player_holds_still_while_the_other_learns(config: TrainConfig):
    game, batch = prepared(config)
    judge = game.discriminator
    assert judge is not None
    before = weights(game.generator), weights(judge)
    fakes, _ = update_generator(game, [batch])
    between = weights(game.generator), weights(judge)
    assert not torch.equal(between[0], before[0])
    assert torch.equal(between[1], before[1])
    assert all(parameter.grad is None and parameter.requires_grad for parameter in judge.network.parameters())
    update_discriminator(game, judge, [batch], fakes)
    assert torch.equal(weights(game.generator), between[0])
    assert not torch.equal(weights(judge), between[1])


def test_the_discriminator_judges_what_the_generator_has_just_made(config: TrainConfig):
    game, batch = prepared(config)
    with torch.no_grad():
        expected = [[game.generator.network(portion.condition).image] for portion in portions_of(batch, 2)]
    fakes, _ = update_generator(game, portions_of(batch, 2))
    torch.testing.assert_close(fakes, expected)
    assert not any(picture.requires_grad for pictures in fakes for picture in pictures)


def test_pictures_of_all_sizes_are_judged_each_against_the_target_reduced(config: TrainConfig):
    model = MsgUNetConfig(width=2, num_scales=3, num_downsamplings=1)
    game, batch = prepared(
        replace(config, model=model, discriminator=PatchDiscriminatorConfig(3, num_layers=2, width=4))
    )
    judge = game.discriminator
    assert judge is not None
    fakes, losses = update_generator(game, [batch])
    assert {"adversarial", "feature_matching", "l1"} == set(losses)
    assert [tuple(picture.shape) for picture in fakes[0]] == [(4, 3, 24, 24), (4, 3, 12, 12), (4, 3, 6, 6)]

    shown = []
    judge.network.register_forward_pre_hook(lambda _, levels: shown.append([level[:, -3:] for level in levels]))
    before = {name: weight.clone() for name, weight in judge.network.named_parameters()}
    update_discriminator(game, judge, [batch], fakes)
    torch.testing.assert_close(shown[0], fakes[0])
    torch.testing.assert_close(shown[1], pyramid(batch.target, 3))
    changed = {name for name, weight in judge.network.named_parameters() if not torch.equal(weight, before[name])}
    assert {name.partition(".")[0] for name in changed} == {f"discriminator_{scale}" for scale in range(3)}


@pytest.mark.parametrize("objective", [WITHOUT_ADVERSARY, replace(WITH_ADVERSARY, l2=1.0)])
def test_what_a_hole_holds_does_not_count(config: TrainConfig, objective: Objective):
    config = replace(config, objective=objective)
    outcomes = []
    for value in (-1.0, 0.7):
        game, batch = prepared(config)
        settle(game)
        valid = torch.ones(4, 1, 24, 24, dtype=torch.bool)
        valid[:, :, 4:12, 6:] = False
        batch = replace(batch, target=torch.where(valid, batch.target, value), valid=valid)
        fakes, losses = update_generator(game, portions_of(batch, 2))
        after = [weights(game.generator)]
        if game.discriminator is not None:
            losses |= update_discriminator(game, game.discriminator, portions_of(batch, 2), fakes)
            after.append(weights(game.discriminator))
        outcomes.append((losses, after))
    torch.testing.assert_close(outcomes[0], outcomes[1], rtol=0, atol=0)


def test_where_nothing_was_measured_pictures_of_no_size_learn(config: TrainConfig):
    model = MsgUNetConfig(width=2, num_scales=3, num_downsamplings=1)
    game, batch = prepared(replace(config, model=model, objective=WITHOUT_ADVERSARY))
    before = weights(game.generator)
    _, losses = update_generator(game, [replace(batch, valid=torch.zeros(4, 1, 24, 24, dtype=torch.bool))])
    assert losses["l1"] == 0
    assert torch.equal(weights(game.generator), before)


def player(gradient: float, max_gradient_norm: float = 0.0, scale: float | None = None) -> Player:
    """A player with four weights, whose gradients are all alike, and scaled."""
    network = nn.Linear(4, 1, bias=False)
    network.weight.grad = torch.full((1, 4), gradient)
    scaler = torch.amp.GradScaler("cpu", init_scale=scale or 1.0, enabled=scale is not None)
    scaler.scale(torch.zeros(()))  # as for the loss that the gradients would come from
    return Player(network, torch.optim.SGD(network.parameters(), lr=1.0), scaler, max_gradient_norm, ALONE)


@pytest.mark.parametrize(("limit", "expected"), [(0.0, 6.0), (10.0, 6.0), (0.5, 0.5)])
def test_gradients_are_scaled_down_to_the_limit(limit: float, expected: float):
    """Four gradients of 3 have a norm of 6."""
    one = player(3.0, limit)
    before = weights(one)
    one.update({"l1": torch.tensor(1.0)})
    assert (weights(one) - before).norm().item() == pytest.approx(expected, rel=1e-5)
    assert one.network.weight.grad is None


@pytest.mark.parametrize(
    ("gradient", "loss", "culprit"),
    [
        (torch.nan, 1.0, "gradient norm"),
        (torch.inf, 1.0, "gradient norm"),
        (1e30, 1.0, "gradient norm"),
        (1.0, torch.nan, "l1"),
        (1.0, torch.inf, "l1"),
        (torch.nan, torch.nan, "l1, gradient norm"),
    ],
)
@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_no_step_is_taken_when_something_is_not_finite(gradient: float, loss: float, culprit: str, limit: float):
    one = player(gradient, limit)
    before = weights(one)
    with pytest.raises(Diverged, match=f"^{culprit} became NaN or infinite"):
        one.update({"l1": torch.tensor(loss), "adversarial": torch.tensor(2.0)})
    assert torch.equal(weights(one), before)


def test_the_scale_falls_before_infinite_gradients_count_as_diverged():
    one = player(torch.inf, scale=4.0)
    before = weights(one)
    for expected in (2.0, 1.0):
        one.network.weight.grad = torch.full((1, 4), torch.inf)
        one.update({"l1": torch.tensor(1.0)})
        assert one.scaler.get_scale() == expected
    one.network.weight.grad = torch.full((1, 4), torch.inf)
    with pytest.raises(Diverged, match="gradient norm"):
        one.update({"l1": torch.tensor(1.0)})
    assert torch.equal(weights(one), before)


def test_an_infinite_loss_counts_at_any_scale():
    with pytest.raises(Diverged, match="l1"):
        player(1.0, scale=4.0).update({"l1": torch.tensor(torch.inf)})


def test_gradients_are_scaled_back_before_they_are_clipped():
    one = player(3.0 * 8, max_gradient_norm=10.0, scale=8.0)
    before = weights(one)
    one.update({"l1": torch.tensor(1.0)})
    assert (weights(one) - before).norm().item() == pytest.approx(6.0, rel=1e-5)
