"""MS-SSIM and VIF against formulas written out here, and at the ends of their ranges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import visual_information_fidelity

from pixelwise.errors import InputError
from pixelwise.metrics.fidelity import ms_ssim, vif

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of Wang et al. 2003, Sec. 3.2."""


def textured(height: int, width: int, channels: int = 3, noise: float = 0.1) -> tuple[Tensor, Tensor]:
    """A picture with detail of every size, and the same with noise; 1 C H W in [-1, 1]."""
    numbers = torch.Generator().manual_seed(3)
    sides = (4, 16, 64)
    layers = [torch.rand(1, channels, side, side, generator=numbers) - 0.5 for side in sides]
    target = sum(torch.nn.functional.interpolate(layer, (height, width), mode="bilinear") for layer in layers) / 1.5
    assert isinstance(target, Tensor)
    noisy = target + noise * torch.randn(target.shape, generator=numbers)
    return noisy.clamp(-1, 1), target


def filtered(planes: np.ndarray, size: int, sigma: float) -> np.ndarray:
    """C H W under a Gaussian window, where it lies within the picture."""
    profile = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * sigma**2))
    patches = np.lib.stride_tricks.sliding_window_view(planes, (size, size), axis=(1, 2))
    means: np.ndarray = np.einsum("chwyx,y,x->chw", patches, profile / profile.sum(), profile / profile.sum())
    return means


def ms_ssim_by_formula(image: np.ndarray, target: np.ndarray) -> float:
    """Eq. 7 of Wang et al. 2003 of C H W in 0..1."""
    score = 1.0
    for size, exponent in enumerate(EXPONENTS):
        coarsest = size == len(EXPONENTS) - 1
        edges = ((0, 0), (5, 5), (5, 5))
        x, y = (np.pad(p, edges, mode="reflect") if coarsest else p for p in (image, target))
        mean_x, mean_y = filtered(x, 11, 1.5), filtered(y, 11, 1.5)
        variances = filtered(x**2, 11, 1.5) - mean_x**2 + filtered(y**2, 11, 1.5) - mean_y**2
        terms = (2 * (filtered(x * y, 11, 1.5) - mean_x * mean_y) + 0.03**2) / (variances + 0.03**2)
        if coarsest:
            terms = terms * (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
        score *= max(terms.mean(), 0) ** exponent
        height, width = (side // 2 * 2 for side in image.shape[1:])
        image, target = (
            p[:, :height, :width].reshape(len(p), height // 2, 2, width // 2, 2).mean((2, 4)) for p in (image, target)
        )
    return score


def vif_by_formula(image: np.ndarray, target: np.ndarray) -> float:
    """Sheikh and Bovik 2006, Eq. 11 in pixels, of one channel 1 H W in 0..255."""
    learnt = there = 0.0
    for size in (17, 9, 5, 3):
        if size < 17:
            image, target = (filtered(p, size, size / 5)[:, ::2, ::2] for p in (image, target))
        mean_x, mean_y = filtered(image, size, size / 5), filtered(target, size, size / 5)
        variance = filtered(target**2, size, size / 5) - mean_y**2
        covariance = filtered(image * target, size, size / 5) - mean_x * mean_y
        gain = np.maximum(covariance / variance, 0)
        rest = filtered(image**2, size, size / 5) - mean_x**2 - gain * covariance
        learnt += np.log(1 + gain**2 * variance / (rest + 2)).sum()
        there += np.log(1 + variance / 2).sum()
    return learnt / there


@pytest.mark.parametrize("channels", [1, 3])
def test_ms_ssim_equals_the_formula(channels: int) -> None:
    image, target = textured(176, 190, channels)
    expected = ms_ssim_by_formula(*(picture[0].double().numpy() / 2 + 0.5 for picture in (image, target)))
    assert 0.1 < expected < 0.99
    assert ms_ssim(image, target).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_vif_equals_the_formula_channel_by_channel(channels: int) -> None:
    image, target = textured(64, 70, channels)
    levels = [(picture[0].double().numpy() + 1) * 127.5 for picture in (image, target)]
    expected = np.mean([vif_by_formula(*(p[channel : channel + 1] for p in levels)) for channel in range(channels)])
    assert 0.01 < expected < 0.9
    assert vif(image, target).item() == pytest.approx(expected, abs=1e-4)
    others = visual_information_fidelity((image + 1) * 127.5, (target + 1) * 127.5)
    assert vif(image, target).item() == pytest.approx(others.item(), abs=1e-4)


def test_of_equal_pictures_both_are_one() -> None:
    _, target = textured(176, 176)
    assert ms_ssim(target, target).item() == pytest.approx(1.0, abs=1e-6)
    assert vif(target, target).item() == pytest.approx(1.0, abs=1e-6)


def test_vif_exceeds_one_where_contrast_was_enhanced() -> None:
    _, target = textured(64, 64)
    assert vif(1.3 * target, target).item() > 1.05


def test_ms_ssim_of_an_inverted_picture_is_zero() -> None:
    _, target = textured(176, 176)
    assert ms_ssim(-target, target).item() == 0


def test_a_flat_channel_has_lost_nothing() -> None:
    image, target = textured(64, 64, channels=2)
    rest = vif(image[:, :1], target[:, :1]).item()
    target[:, 1] = 0.3
    assert vif(image, target).item() == pytest.approx((rest + 1) / 2)
    assert vif(torch.full_like(target, -0.2), torch.full_like(target, 0.3)).item() == 1


@pytest.mark.parametrize("size", [(175, 176), (200, 100)])
def test_ms_ssim_says_which_size_it_needs(size: tuple[int, int]) -> None:
    picture = torch.zeros(1, 3, *size)
    with pytest.raises(InputError, match=rf"MS-SSIM needs .* 176 x 176 pixels or more, got {size[0]} x {size[1]}"):
        ms_ssim(picture, picture)


def test_vif_says_which_size_it_needs() -> None:
    picture = torch.zeros(1, 3, 40, 41)
    with pytest.raises(InputError, match=r"VIF needs .* 41 x 41 pixels or more, got 40 x 41"):
        vif(picture, picture)
    assert vif(torch.rand(1, 1, 41, 41), torch.rand(1, 1, 41, 41)).shape == (1,)
