"""How close a picture is to the one it should be. Pictures are B C H W in [-1, 1]; scores are per picture, B."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure


def psnr(image: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, over all channels of a picture; infinite for equal pictures."""
    # The peak is the whole range, 2.
    return 10 * torch.log10(4 / (image - target).square().mean(dim=(1, 2, 3)))


def ssim(image: Tensor, target: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004, Eq. 13) under a Gaussian window of 11 x 11, sigma 1.5, per channel.

    Every pixel has a window; beyond the border the picture is mirrored.

    Returns:
        B in [-1, 1], 1 for equal pictures.
    """
    # Its luminance term compares means, so black must be 0 there as in the paper: [0, 1] and not [-1, 1].
    image, target = (image + 1) / 2, (target + 1) / 2
    scores = structural_similarity_index_measure(image, target, data_range=1.0, reduction="none")
    assert isinstance(scores, Tensor)
    return scores.reshape(len(image))
