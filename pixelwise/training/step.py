"""One update of the generator, one update of the discriminator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pixelwise.condition import Condition, PairedSample
from pixelwise.discriminators.conditioning import discriminator_inputs
from pixelwise.layers.pyramid import filled_pyramid
from pixelwise.losses.adversarial import LayerOutputs
from pixelwise.losses.classification import count_labelled
from pixelwise.losses.objective import Objective, WholeBatch, discriminator_terms, generator_terms
from pixelwise.losses.perceptual import PerceptualLoss
from pixelwise.training.processes import Processes

Losses = dict[str, Tensor]

Pictures = Sequence[Tensor]
"""B C H W; of a generator that makes them at several sizes, then the others, each half of the one before."""


class Diverged(RuntimeError):
    """Training cannot go on: a loss or a gradient is no longer finite."""


@dataclass(frozen=True)
class Player:
    """A network, its optimiser, and how its gradients become an update.

    Attributes:
        network: the generator or the discriminator.
        optimiser: of its parameters.
        scaler: keeps half-precision gradients in range; disabled in other precisions.
        max_gradient_norm: 0 for no clipping.
        processes: gradients are averaged over them.
    """

    network: nn.Module
    optimiser: Optimizer
    scaler: torch.amp.GradScaler
    max_gradient_norm: float
    processes: Processes

    def update(self, losses: Losses) -> None:
        """Applies the gradients that have been accumulated, and clears them.

        Args:
            losses: what the gradients come from; averaged over processes here, in place, so that all of them agree.

        Raises:
            Diverged: a loss or a gradient is NaN or infinite; the weights are still as they were.
        """
        self.processes.average_gradients(self.network)
        self.processes.average(losses.values())
        self.scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.max_gradient_norm or float("inf"))
        # While the scale is large, an infinite gradient only means too large a scale: the scaler skips the step and
        # halves the scale.
        scaled = self.scaler.is_enabled() and self.scaler.get_scale() > 1
        _check_finite(losses if scaled else {**losses, "gradient norm": norm})
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)


@dataclass(frozen=True)
class Game:
    """What the two players play for.

    Attributes:
        generator: from condition to picture.
        discriminator: None when the objective has no adversary.
        objective: weights of the losses.
        num_labels: channels of the one-hot label map that the discriminator sees.
        perceptual: None without such a term.
        autocast: makes a context that runs networks in the run's precision.
        num_classes: of the label maps that are to be found; 0 where pictures are to be made.
    """

    generator: Player
    discriminator: Player | None
    objective: Objective
    num_labels: int
    perceptual: PerceptualLoss | None
    autocast: Callable[[], AbstractContextManager[object]]
    num_classes: int = 0


def update_generator(game: Game, portions: list[PairedSample]) -> tuple[list[Pictures], Losses]:
    """One step of the generator against a discriminator that holds still.

    Returns:
        Its pictures, detached, portion by portion; its loss terms, weighted, averaged over portions.

    Raises:
        Diverged: see ``Player.update``.
    """
    batch = whole_batch(game, portions)
    fakes: list[Pictures] = []
    totals = Totals(len(portions))
    for sample in portions:
        with game.autocast():
            translation = game.generator.network(sample.condition)
            targets = targets_of(sample, translation.pictures)
            fake, real = judgements(game, sample.condition, translation.pictures, targets)
            terms = generator_terms(game.objective, translation, targets, fake, real, game.perceptual, batch)
        game.generator.scaler.scale(sum_of(terms) / len(portions)).backward()
        fakes.append([picture.detach() for picture in translation.pictures])
        totals.add(terms)
    game.generator.update(totals.means)
    return fakes, totals.means


def whole_batch(game: Game, portions: Sequence[PairedSample]) -> WholeBatch:
    """What these portions, and those of the other processes, are cut from."""
    processes = game.generator.processes
    num_labelled = None
    if game.num_classes:
        counts = [count_labelled(sample.target, game.num_classes) for sample in portions]
        num_labelled = torch.stack(counts).float().mean()
        processes.average([num_labelled])
    return WholeBatch(processes.count * len(portions), num_labelled)


def targets_of(sample: PairedSample, pictures: Pictures) -> Pictures:
    """What ``pictures`` are compared with, size by size, without holes; class indices, at full size alone."""
    if not sample.target.is_floating_point():
        return [sample.target]
    return filled_pyramid(sample.target, sample.valid, pictures)


def judgements(
    game: Game, condition: Condition, pictures: Pictures, targets: Pictures
) -> tuple[LayerOutputs | None, LayerOutputs | None]:
    """The discriminator's outputs on ``pictures`` and on ``targets``; its weights get no gradients."""
    if game.discriminator is None:
        return None, None
    judge = game.discriminator.network
    with frozen(judge):
        fake = judge(*discriminator_inputs(condition, pictures, game.num_labels))
        with torch.no_grad():
            real = judge(*discriminator_inputs(condition, targets, game.num_labels))
    return fake, real


def update_discriminator(game: Game, judge: Player, portions: list[PairedSample], fakes: list[Pictures]) -> Losses:
    """One step of the discriminator on the pictures that the generator has just made.

    Returns:
        Its loss terms on generated and on real pictures, averaged over portions.

    Raises:
        Diverged: see ``Player.update``.
    """
    totals = Totals(len(portions))
    for sample, pictures in zip(portions, fakes, strict=True):
        targets = targets_of(sample, pictures)
        with game.autocast():
            fake = judge.network(*discriminator_inputs(sample.condition, pictures, game.num_labels))
            real = judge.network(*discriminator_inputs(sample.condition, targets, game.num_labels))
            terms = discriminator_terms(game.objective, fake, real)
        judge.scaler.scale(sum_of(terms) / len(portions)).backward()
        totals.add(terms)
    judge.update(totals.means)
    return totals.means


def sum_of(terms: Losses) -> Tensor:
    """What is minimised, a scalar in full precision."""
    return torch.stack([term.float() for term in terms.values()]).sum()


class Totals:
    """Sums the terms of the portions of one batch."""

    def __init__(self, num_portions: int) -> None:
        self.num_portions = num_portions
        self.means: Losses = {}

    def add(self, terms: Losses) -> None:
        for name, term in terms.items():
            part = term.detach().float() / self.num_portions
            self.means[name] = self.means[name] + part if name in self.means else part


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Gradients flow through the network but not into its weights, which halves its share of the backward pass."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def _check_finite(values: Losses) -> None:
    # One transfer from the device instead of one for each value.
    finite = torch.stack([value.float() for value in values.values()]).isfinite().tolist()
    if not all(finite):
        bad = [name for name, sound in zip(values, finite, strict=True) if not sound]
        raise Diverged(f"{', '.join(bad)} became NaN or infinite")
