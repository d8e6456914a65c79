"""The weighted sum that a generator is trained on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.losses.adversarial import ADVERSARIAL, AdversarialLoss, LayerOutputs
from pixelwise.losses.feature_matching import feature_matching
from pixelwise.losses.ordering import ordering
from pixelwise.losses.regression import field_decay, kl_divergence, l1, l2
from pixelwise.render import PixelwiseField

PictureLoss = Callable[[Tensor, Tensor], Tensor]
"""(image, target), both B C H W in [-1, 1], to a scalar."""


class Translated(Protocol):
    """What a generator made of a condition.

    Attributes:
        image: B C H W in [-1, 1].
        posterior: mean and log-variance, both B Z, of a model that encodes a style.
        field: of a pixelwise model.
        ordering: of a model that orders segments: see ``ordering``.
    """

    @property
    def image(self) -> Tensor: ...
    @property
    def posterior(self) -> tuple[Tensor, Tensor] | None: ...
    @property
    def field(self) -> PixelwiseField | None: ...
    @property
    def ordering(self) -> tuple[Tensor, Tensor] | None: ...


@dataclass(frozen=True)
class Objective:
    """Weights of the loss terms; the defaults are SPADE's, and with them ASAP-Net's.

    A term of weight 0 is neither computed nor listed, and neither is one about something that a run does not have:
    feature matching without an adversary, a perceptual loss without its network, KL without a posterior, decay without
    a field, ordering without segments.

    Attributes:
        adversarial: a name in ADVERSARIAL, with weight 1; None to train without a discriminator.
        feature_matching: of the discriminator's features.
        perceptual: of VGG19's features.
        l1: of the mean absolute difference from the target.
        l2: of the mean squared difference from the target.
        kl: of the posterior's divergence from the standard normal distribution, summed over the batch.
        field_decay: of the mean square of the field's parameters.
        ordering: of the cross entropy of which segments lie in front.
    """

    adversarial: str | None = "hinge"
    feature_matching: float = 10.0
    perceptual: float = 10.0
    l1: float = 0.0
    l2: float = 0.0
    kl: float = 0.05
    field_decay: float = 0.0
    ordering: float = 0.0

    def __post_init__(self) -> None:
        if self.adversarial is not None and self.adversarial not in ADVERSARIAL:
            known = ", ".join(ADVERSARIAL)
            raise InputError(f"objective.adversarial is {self.adversarial!r}, expected one of {known}, or None")
        for field in fields(self)[1:]:
            weight = getattr(self, field.name)
            if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise InputError(f"objective.{field.name} is {weight!r}, expected a finite weight of at least 0")


def generator_terms(
    objective: Objective,
    translation: Translated,
    target: Tensor,
    fake: LayerOutputs | None = None,
    real: LayerOutputs | None = None,
    perceptual: PictureLoss | None = None,
) -> dict[str, Tensor]:
    """The weighted terms of the generator's loss by name; the generator minimises their sum.

    Args:
        objective: the weights.
        translation: what the generator made.
        target: B C H W in [-1, 1], what it should have made.
        fake: the discriminator's outputs on the generated picture, where there is an adversary.
        real: its outputs on the target, where there is feature matching.
        perceptual: see PerceptualLoss; None to train without it.

    Raises:
        InputError: a term needs the discriminator's outputs and has none, or image and target differ in shape.
    """
    terms = {}
    if objective.adversarial is not None:
        terms.update(_adversary_terms(ADVERSARIAL[objective.adversarial], objective.feature_matching, fake, real))
    terms.update(_picture_terms(objective, translation.image, target, perceptual))
    if objective.kl and translation.posterior is not None:
        terms["kl"] = objective.kl * kl_divergence(*translation.posterior)
    if objective.field_decay and translation.field is not None:
        terms["field_decay"] = objective.field_decay * field_decay(translation.field.parameters)
    if objective.ordering and translation.ordering is not None:
        terms["ordering"] = objective.ordering * ordering(*translation.ordering)
    return terms


def _adversary_terms(
    loss: AdversarialLoss, matching_weight: float, fake: LayerOutputs | None, real: LayerOutputs | None
) -> dict[str, Tensor]:
    if fake is None:
        raise InputError("the objective has an adversary: expected the discriminator's outputs on the image")
    terms = {"adversarial": loss.generator(fake)}
    if matching_weight:
        if real is None:
            raise InputError("the objective has feature matching: expected the discriminator's outputs on the target")
        terms["feature_matching"] = matching_weight * feature_matching(fake, real)
    return terms


def _picture_terms(
    objective: Objective, image: Tensor, target: Tensor, perceptual: PictureLoss | None
) -> dict[str, Tensor]:
    losses = {"perceptual": perceptual, "l1": l1, "l2": l2}
    weights = {name: getattr(objective, name) for name in losses}
    return {name: weights[name] * loss(image, target) for name, loss in losses.items() if loss and weights[name]}
