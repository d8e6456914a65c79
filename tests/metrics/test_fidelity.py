"""PSNR and SSIM against known values and against formulas written out here."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pixelwise.metrics import METRICS
from pixelwise.metrics.fidelity import psnr, ssim


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    """Two pictures, one with little noise added and one with much, and the same without; in [-1, 1]."""
    numbers = torch.Generator().manual_seed(1)
    target = torch.rand(2, 3, 24, 20, generator=numbers) * 2 - 1
    noise = torch.randn(2, 3, 24, 20, generator=numbers) * torch.tensor([0.05, 0.5]).view(2, 1, 1, 1)
    return (target + noise).clamp(-1, 1), target


def ssim_by_formula(image: np.ndarray, target: np.ndarray) -> float:
    """Eq. 13 of Wang et al. 2004 in every window, the borders mirrored.

    Args:
        image, target: C H W in 0..1.
    """
    offsets = np.arange(11) - 5
    profile = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(profile, profile) / profile.sum() ** 2

    def local_mean(planes: np.ndarray) -> np.ndarray:
        mirrored = np.pad(planes, ((0, 0), (5, 5), (5, 5)), mode="reflect")
        patches = np.lib.stride_tricks.sliding_window_view(mirrored, (11, 11), axis=(1, 2))
        means: np.ndarray = np.einsum("chwyx,yx->chw", patches, window)
        return means

    mean_x, mean_y = local_mean(image), local_mean(target)
    variance_x = local_mean(image**2) - mean_x**2
    variance_y = local_mean(target**2) - mean_y**2
    covariance = local_mean(image * target) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    score = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    score /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return float(score.mean())


def test_psnr_of_known_errors() -> None:
    target = torch.zeros(3, 1, 4, 4)
    image = torch.stack([torch.full((1, 4, 4), error) for error in (2.0, 0.2, 2 / 255)])
    # An error of the whole range is 0 dB, a tenth of it 20 dB, one grey level of 255 is 48.13 dB.
    torch.testing.assert_close(psnr(image, target), torch.tensor([0.0, 20.0, 20 * math.log10(255)]))


def test_psnr_averages_squares_over_channels_and_pixels() -> None:
    image, target = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    image[0, 1, 0, 1] = 0.8
    torch.testing.assert_close(psnr(image, target), torch.tensor([10 * math.log10(4 / (0.64 / 8))]))


def test_psnr_of_equal_pictures_is_infinite() -> None:
    assert psnr(torch.ones(1, 3, 2, 2), torch.ones(1, 3, 2, 2)).tolist() == [math.inf]


def test_ssim_equals_the_formula(pair: tuple[Tensor, Tensor]) -> None:
    image, target = pair
    expected = [
        ssim_by_formula(one.double().numpy() / 2 + 0.5, other.double().numpy() / 2 + 0.5)
        for one, other in zip(image, target, strict=True)
    ]
    torch.testing.assert_close(ssim(image, target), torch.tensor(expected), atol=1e-5, rtol=0)


def test_ssim_of_flat_pictures_compares_their_luminance() -> None:
    # Without variance only (2ab + c1) / (a^2 + b^2 + c1) remains, of a = 0.25 and b = 0.5 in 0..1.
    image, target = torch.full((1, 3, 16, 16), -0.5), torch.zeros(1, 3, 16, 16)
    expected = (2 * 0.25 * 0.5 + 1e-4) / (0.25**2 + 0.5**2 + 1e-4)
    torch.testing.assert_close(ssim(image, target), torch.tensor([expected]), atol=1e-5, rtol=0)


def test_ssim_of_equal_pictures_is_one(pair: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(ssim(pair[1], pair[1]), torch.ones(2))


@pytest.mark.parametrize("name", METRICS)
def test_scores_are_per_picture_and_fall_with_noise(name: str, pair: tuple[Tensor, Tensor]) -> None:
    scores = METRICS[name](*pair)
    assert scores.shape == (2,)
    assert scores[0] > scores[1]
    torch.testing.assert_close(METRICS[name](pair[0][1:], pair[1][1:]), scores[1:])
