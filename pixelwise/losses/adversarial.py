"""Adversarial losses on the predictions of a multi-scale discriminator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LayerOutputs = Sequence[Sequence[Tensor]]
"""What a discriminator returns: for every scale the outputs of its layers B C h w, the prediction B 1 h w last."""

PredictionLoss = Callable[[Tensor], Tensor]
"""A prediction of any shape to one number, the mean over its elements."""


@dataclass(frozen=True)
class AdversarialLoss:
    """What the two players minimise.

    Attributes:
        on_fake: the discriminator's loss on predictions for generated pictures.
        on_real: the discriminator's loss on predictions for real pictures.
        on_generated: the generator's loss on predictions for its pictures.
    """

    on_fake: PredictionLoss
    on_real: PredictionLoss
    on_generated: PredictionLoss

    def generator(self, fake: LayerOutputs) -> Tensor:
        """The generator's loss, a scalar: the average over scales."""
        return mean_over_scales(self.on_generated, fake)

    def discriminator(self, fake: LayerOutputs, real: LayerOutputs) -> Tensor:
        """The discriminator's loss, a scalar: fake plus real, each the average over scales."""
        return mean_over_scales(self.on_fake, fake) + mean_over_scales(self.on_real, real)


def mean_over_scales(loss: PredictionLoss, outputs: LayerOutputs) -> Tensor:
    """``loss`` of the prediction of every scale, averaged with equal weight whatever the scale's size."""
    return torch.stack([loss(scale[-1]) for scale in outputs]).mean()


def _towards(value: float, distance: Callable[[Tensor, Tensor], Tensor]) -> PredictionLoss:
    return lambda prediction: distance(prediction, torch.full_like(prediction, value))


# Lim and Ye 2017, Eq. 5 to 7.
HINGE = AdversarialLoss(
    on_fake=lambda prediction: F.relu(1 + prediction).mean(),
    on_real=lambda prediction: F.relu(1 - prediction).mean(),
    on_generated=lambda prediction: -prediction.mean(),
)

# Mao et al. 2017, Eq. 9 without the factor of one half.
LEAST_SQUARES = AdversarialLoss(
    on_fake=_towards(0.0, F.mse_loss),
    on_real=_towards(1.0, F.mse_loss),
    on_generated=_towards(1.0, F.mse_loss),
)

# Goodfellow et al. 2014, Sec. 3, with the generator's non-saturating form; predictions are logits.
CROSS_ENTROPY = AdversarialLoss(
    on_fake=_towards(0.0, F.binary_cross_entropy_with_logits),
    on_real=_towards(1.0, F.binary_cross_entropy_with_logits),
    on_generated=_towards(1.0, F.binary_cross_entropy_with_logits),
)

# Arjovsky et al. 2017, Eq. 2; the Lipschitz bound is the discriminator's affair (here spectral norm).
WASSERSTEIN = AdversarialLoss(
    on_fake=lambda prediction: prediction.mean(),
    on_real=lambda prediction: -prediction.mean(),
    on_generated=lambda prediction: -prediction.mean(),
)

ADVERSARIAL = {
    "hinge": HINGE,
    "least_squares": LEAST_SQUARES,
    "cross_entropy": CROSS_ENTROPY,
    "wasserstein": WASSERSTEIN,
}
"""The names that configurations use."""
