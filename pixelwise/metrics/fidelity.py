"""How close a picture is to the one it should be. Pictures are B C H W in [-1, 1]; scores are per picture, B.

torchmetrics is imported when a picture is measured: it takes a second and 100 MB, which to translate one needs not.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pixelwise.errors import InputError

LEAST_SIDES: Mapping[str, int] = {
    # A window reaches five pixels beyond the border, where the picture is mirrored without its outermost ones.
    "ssim": 6,
    # Four times halved, eleven pixels are left, one window of the coarsest size.
    "ms_ssim": 176,
    # For a window at the coarsest of four sizes.
    "vif": 41,
}
"""Pixels on a side of the smallest pictures that these measures can be taken of."""


def psnr(image: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, over all channels of a picture; infinite for equal pictures."""
    # The peak is the whole range, 2.
    return 10 * torch.log10(4 / (image - target).square().mean(dim=(1, 2, 3)))


def ssim(image: Tensor, target: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004, Eq. 13) under a Gaussian window of 11 x 11, sigma 1.5, per channel.

    Every pixel has a window; beyond the border the picture is mirrored.

    Returns:
        B in [-1, 1], 1 for equal pictures.

    Raises:
        InputError: a picture of less than 6 pixels on a side.
    """
    _check_side("SSIM", image, LEAST_SIDES["ssim"])
    # Its luminance term compares means, so black must be 0 there as in the paper: [0, 1] and not [-1, 1].
    image, target = (image + 1) / 2, (target + 1) / 2
    from torchmetrics.functional.image import structural_similarity_index_measure

    scores = structural_similarity_index_measure(image, target, data_range=1.0, reduction="none")
    assert isinstance(scores, Tensor)
    return scores.reshape(len(image))


def ms_ssim(image: Tensor, target: Tensor) -> Tensor:
    """Multi-scale structural similarity (Wang, Simoncelli, Bovik 2003, Eq. 7) at five sizes, windows as in ``ssim``.

    Each size is the one before, averaged over 2 x 2 pixels. As torchmetrics has it: windows of the four finer sizes lie
    within the picture, of the coarsest every pixel has one; a size's mean below 0 counts as 0.

    Returns:
        B in [0, 1], 1 for equal pictures.

    Raises:
        InputError: a picture of less than 176 pixels on a side.
    """
    _check_side("MS-SSIM", image, LEAST_SIDES["ms_ssim"])
    image, target = (image + 1) / 2, (target + 1) / 2
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    scores = multiscale_structural_similarity_index_measure(image, target, data_range=1.0, reduction="none")
    return scores.reshape(len(image))


def vif(image: Tensor, target: Tensor) -> Tensor:
    """Visual information fidelity (Sheikh and Bovik 2006): how much of what an eye would learn from the target it
    learns from the picture.

    The form in pixels, as torchmetrics has it: local means and variances at four sizes instead of wavelets, of grey
    levels 0..255; the eye's noise has variance 2; the mean over channels.

    Returns:
        B, at least 0; 1 for equal pictures, more where contrast was enhanced. A flat channel of the target tells
        nothing that could be lost, and counts as 1.

    Raises:
        InputError: a picture of less than 41 pixels on a side.
    """
    _check_side("VIF", image, LEAST_SIDES["vif"])
    # In float32 the variance of flat regions would be rounding errors.
    image, target = ((picture.double() + 1) * 127.5 for picture in (image, target))
    # Each channel by itself, because one that is flat has 0 / 0.
    one, other = (picture.flatten(0, 1)[:, None] for picture in (image, target))
    from torchmetrics.functional.image import visual_information_fidelity

    scores = visual_information_fidelity(one, other, reduction="none").reshape(image.shape[:2])
    flat = target.amax(dim=(2, 3)) == target.amin(dim=(2, 3))
    return torch.where(flat, 1.0, scores).mean(dim=1).float()


def l1(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference as a share of the whole range from black to white: B in [0, 1], 0 is best."""
    return (image - target).abs().mean(dim=(1, 2, 3)) / 2


def _check_side(metric: str, image: Tensor, least: int) -> None:
    height, width = image.shape[-2:]
    if min(height, width) < least:
        raise InputError(
            f"{metric} needs pictures of {least} x {least} pixels or more, got {height} x {width} (height x width)"
        )
