"""The perceptual adversarial loss: the discriminator's hidden layers measure how far a picture is from the target, and
learn to see what distance the generator has left (Wang et al., TIP 2018).

Feature matching compares by such layers too, but they learn nothing from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.losses.adversarial import LayerOutputs
from pixelwise.losses.regression import l1


@dataclass(frozen=True)
class PerceptualAdversarialLoss:
    """What the two players minimise beside an adversarial loss.

    Attributes:
        layer_weights: "lambda", of each hidden layer in order, at least 0 and not all 0.
        margin: "m", positive: the discriminator does not push the distance beyond it.
    """

    layer_weights: tuple[float, ...]
    margin: float

    def __post_init__(self) -> None:
        if not all(0 <= weight < math.inf for weight in self.layer_weights) or not any(self.layer_weights):
            raise InputError(
                f"perceptual_adversarial.layer_weights are {self.layer_weights}, "
                "expected finite weights of at least 0, and one above"
            )
        if not 0 < self.margin < math.inf:
            raise InputError(f"perceptual_adversarial.margin is {self.margin}, expected a finite number above 0")

    def distance(self, fake: LayerOutputs, real: LayerOutputs) -> Tensor:
        """The generator's loss, sum_j lambda_j P_j, a scalar: P_j is the mean absolute difference of the features of
        layer j. Over scales it is averaged.

        Args:
            fake: a discriminator's outputs on generated pictures; predictions do not count as features.
            real: its outputs on the targets, of the same shapes.

        Raises:
            InputError: another number of hidden layers than of weights.
        """
        if any(len(scale) - 1 != len(self.layer_weights) for scale in fake):
            raise InputError(
                f"perceptual_adversarial has {len(self.layer_weights)} layer_weights, "
                f"the discriminator {[len(scale) - 1 for scale in fake]} hidden layers on its scales"
            )
        distances = [
            weight * l1(feature, wanted)
            for fake_scale, real_scale in zip(fake, real, strict=True)
            for weight, feature, wanted in zip(self.layer_weights, fake_scale[:-1], real_scale[:-1], strict=True)
        ]
        return sum(distances, start=fake[0][-1].new_zeros(())) / len(fake)

    def shortfall(self, fake: LayerOutputs, real: LayerOutputs) -> Tensor:
        """The discriminator's loss, what the distance lacks of the margin: max(0, m - sum_j lambda_j P_j), a scalar.

        Arguments and errors are those of ``distance``.
        """
        return F.relu(self.margin - self.distance(fake, real))
