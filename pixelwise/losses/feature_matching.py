"""Feature matching: a generated picture should excite the discriminator's layers as the real one does."""

from __future__ import annotations

from torch import Tensor

from pixelwise.losses.adversarial import LayerOutputs
from pixelwise.losses.regression import l1


def feature_matching(fake: LayerOutputs, real: LayerOutputs) -> Tensor:
    """The mean absolute difference of the features, summed over layers and averaged over scales; a scalar.

    pix2pixHD, Eq. 4, but as in SPADE not divided by the number of layers. Predictions do not count as features, and no
    gradient flows into ``real``.

    Args:
        fake: a discriminator's outputs on generated pictures.
        real: its outputs on the real ones, of the same shapes.
    """
    differences = [
        l1(feature, wanted.detach())
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for feature, wanted in zip(fake_scale[:-1], real_scale[:-1], strict=True)
    ]
    return sum(differences, start=fake[0][-1].new_zeros(())) / len(fake)
