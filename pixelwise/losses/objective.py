"""The weighted sum that a generator is trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.losses.adversarial import ADVERSARIAL, LayerOutputs
from pixelwise.losses.classification import cross_entropy
from pixelwise.losses.diversity import best_of
from pixelwise.losses.feature_matching import feature_matching
from pixelwise.losses.ordering import ordering
from pixelwise.losses.perceptual import TAPS, PerceptualLoss
from pixelwise.losses.perceptual_adversarial import PerceptualAdversarialLoss
from pixelwise.losses.regression import field_decay, kl_divergence, l1, l2
from pixelwise.render import PixelwiseField

PictureLoss = Callable[[Tensor, Tensor], Tensor]
"""(image, target), both B C H W in [-1, 1], to a scalar."""

WEIGHTS = ("feature_matching", "perceptual", "l1", "l2", "kl", "field_decay", "ordering", "cross_entropy")


class Translated(Protocol):
    """What a generator made of a condition.

    Attributes:
        pictures: B C H W in [-1, 1]; of a generator that makes them at several sizes, then the others, each half of the
            one before (rounded up).
        posterior: mean and log-variance, both B Z, of a model that encodes a style.
        field: of a pixelwise model.
        variants: of a model that makes several pictures of a condition: B K C H W, ``image`` the first of them.
        regions: beside them, where each class is: B P H W; None without classes.
        ordering: of a model that orders segments: see ``ordering``.
    """

    @property
    def pictures(self) -> Sequence[Tensor]: ...
    @property
    def posterior(self) -> tuple[Tensor, Tensor] | None: ...
    @property
    def field(self) -> PixelwiseField | None: ...
    @property
    def variants(self) -> Tensor | None: ...
    @property
    def regions(self) -> Tensor | None: ...
    @property
    def ordering(self) -> tuple[Tensor, Tensor] | None: ...


@dataclass(frozen=True)
class Objective:
    """Weights of the loss terms, and what they compare; the defaults are SPADE's, and with them ASAP-Net's.

    A term of weight 0 is neither computed nor listed, and neither is one about something that a run does not have:
    feature matching without an adversary, a perceptual loss without its network, KL without a posterior, decay without
    a field, ordering without segments. Terms that compare pictures are means over all sizes that a generator makes.

    Attributes:
        adversarial: a name in ADVERSARIAL, with weight 1; None to train without a discriminator.
        feature_matching: of the discriminator's features.
        perceptual: of VGG19's features; where a model makes several pictures, of the best. Other terms see the first.
        l1: of the mean absolute difference from the target.
        l2: of the mean squared difference from the target.
        kl: of the posterior's divergence from the standard normal distribution, summed over the batch.
        field_decay: of the mean square of the field's parameters.
        ordering: of the cross entropy of which segments lie in front.
        cross_entropy: of the classes that are to be found, the output being their logits; no term that compares
            pictures goes with it.
        perceptual_layers: of VGG19, a name in TAPS.
        best_by_class: whether every class has a best picture of its own, among several, or all have the same.
        perceptual_adversarial: beside an adversary, the distance in its hidden layers, for which both play; or None.
    """

    adversarial: str | None = "hinge"
    feature_matching: float = 10.0
    perceptual: float = 10.0
    l1: float = 0.0
    l2: float = 0.0
    kl: float = 0.05
    field_decay: float = 0.0
    ordering: float = 0.0
    cross_entropy: float = 0.0
    perceptual_layers: str = "first"
    best_by_class: bool = True
    perceptual_adversarial: PerceptualAdversarialLoss | None = None

    def __post_init__(self) -> None:
        if self.adversarial is not None and self.adversarial not in ADVERSARIAL:
            known = ", ".join(ADVERSARIAL)
            raise InputError(f"objective.adversarial is {self.adversarial!r}, expected one of {known}, or None")
        if self.perceptual_layers not in TAPS:
            known = ", ".join(TAPS)
            raise InputError(f"objective.perceptual_layers is {self.perceptual_layers!r}, expected one of {known}")
        if self.adversarial is None and self.perceptual_adversarial is not None:
            raise InputError("objective.perceptual_adversarial needs an adversary, whose hidden layers it compares by")
        for name in WEIGHTS:
            weight = getattr(self, name)
            if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise InputError(f"objective.{name} is {weight!r}, expected a finite weight of at least 0")


@dataclass(frozen=True)
class WholeBatch:
    """The batch of which samples are a portion; its loss is the mean over its portions, each of as many samples.

    Attributes:
        num_portions: over all processes.
        num_labelled: pixels of a portion that have a class, on average; None for as many as the samples have.
    """

    num_portions: int = 1
    num_labelled: Tensor | None = None


UNDIVIDED = WholeBatch()
"""Of samples that are a whole batch."""


def generator_terms(
    objective: Objective,
    translation: Translated,
    targets: Sequence[Tensor],
    fake: LayerOutputs | None = None,
    real: LayerOutputs | None = None,
    perceptual: PerceptualLoss | None = None,
    batch: WholeBatch = UNDIVIDED,
) -> dict[str, Tensor]:
    """The weighted terms of the generator's loss by name; the generator minimises their sum.

    Args:
        objective: the weights.
        translation: what the generator made.
        targets: what it should have made, B C H W in [-1, 1] at the size of each picture; or B H W class indices alone.
        fake: the discriminator's outputs on the generated picture, where there is an adversary.
        real: its outputs on the target, where there is feature matching or a perceptual adversarial term.
        perceptual: by the objective's layers; None to train without it.
        batch: what these samples are a portion of.

    Raises:
        InputError: a term needs the discriminator's outputs and has none, or image and target differ in shape.
    """
    terms = {}
    if objective.adversarial is not None:
        terms.update(_adversary_terms(objective, objective.adversarial, fake, real))
    if objective.perceptual and perceptual is not None:
        terms["perceptual"] = objective.perceptual * _perceptual(objective, translation, targets, perceptual)
    terms.update(_picture_terms(objective, translation.pictures, targets))
    if objective.cross_entropy:
        loss = cross_entropy(translation.pictures[0], targets[0], batch.num_labelled)
        terms["cross_entropy"] = objective.cross_entropy * loss
    if objective.kl and translation.posterior is not None:
        terms["kl"] = objective.kl * batch.num_portions * kl_divergence(*translation.posterior)
    if objective.field_decay and translation.field is not None:
        terms["field_decay"] = objective.field_decay * field_decay(translation.field.parameters)
    if objective.ordering and translation.ordering is not None:
        terms["ordering"] = objective.ordering * ordering(*translation.ordering)
    return terms


def discriminator_terms(objective: Objective, fake: LayerOutputs, real: LayerOutputs) -> dict[str, Tensor]:
    """The terms of the discriminator's loss by name; the discriminator minimises their sum.

    Args:
        objective: with an adversary.
        fake: its outputs on generated pictures, which no gradients reach.
        real: its outputs on the targets.
    """
    assert objective.adversarial is not None
    terms = {"discriminator": ADVERSARIAL[objective.adversarial].discriminator(fake, real)}
    if objective.perceptual_adversarial is not None:
        terms["margin"] = objective.perceptual_adversarial.shortfall(fake, real)
    return terms


def _adversary_terms(
    objective: Objective, adversarial: str, fake: LayerOutputs | None, real: LayerOutputs | None
) -> dict[str, Tensor]:
    if fake is None:
        raise InputError("the objective has an adversary: expected the discriminator's outputs on the image")
    terms = {"adversarial": ADVERSARIAL[adversarial].generator(fake)}
    if not objective.feature_matching and objective.perceptual_adversarial is None:
        return terms
    if real is None:
        raise InputError("the objective compares hidden layers: expected the discriminator's outputs on the target")
    if objective.feature_matching:
        terms["feature_matching"] = objective.feature_matching * feature_matching(fake, real)
    if objective.perceptual_adversarial is not None:
        terms["perceptual_adversarial"] = objective.perceptual_adversarial.distance(fake, real)
    return terms


def _perceptual(
    objective: Objective, translation: Translated, targets: Sequence[Tensor], loss: PerceptualLoss
) -> Tensor:
    if translation.variants is None:
        return _over_sizes(loss, translation.pictures, targets)
    regions = translation.regions if objective.best_by_class else None
    return best_of(loss.by_region(translation.variants, targets[0], regions))


def _picture_terms(objective: Objective, pictures: Sequence[Tensor], targets: Sequence[Tensor]) -> dict[str, Tensor]:
    losses: dict[str, PictureLoss] = {"l1": l1, "l2": l2}
    weights = {name: getattr(objective, name) for name in losses}
    return {
        name: weights[name] * _over_sizes(loss, pictures, targets) for name, loss in losses.items() if weights[name]
    }


def _over_sizes(loss: PictureLoss, pictures: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    return torch.stack([loss(*pair) for pair in zip(pictures, targets, strict=True)]).mean()
