"""Losses in closed form: on pixels, on a Gaussian posterior, on a predicted field."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError


def l1(image: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference of two tensors of one shape; a scalar. Raises InputError for two shapes."""
    _check_same_shape(image, target)
    return F.l1_loss(image, target)


def l2(image: Tensor, target: Tensor) -> Tensor:
    """The mean squared difference of two tensors of one shape; a scalar. Raises InputError for two shapes."""
    _check_same_shape(image, target)
    return F.mse_loss(image, target)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of a diagonal Gaussian from the standard one (Kingma and Welling 2014, Appendix B); a scalar.

    Args:
        mean, log_variance: B Z. The result is the sum over both, as SPADE weighs it, not the mean over the batch.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()


def field_decay(parameters: Tensor) -> Tensor:
    """Weight decay of pixelwise networks: the mean square of their parameters B P h w; a scalar.

    The optimiser's weight decay acts on the weights that predict these parameters, not on the parameters themselves.
    """
    return parameters.square().mean()


def _check_same_shape(image: Tensor, target: Tensor) -> None:
    # torch would broadcast one against the other.
    if image.shape != target.shape:
        raise InputError(f"image is {tuple(image.shape)}, target is {tuple(target.shape)}; expected equal shapes")
