"""PSNR, SSIM and L1 against known values, formulas written out here, and scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.metrics import METRICS, metrics_of, watched_metrics
from pixelwise.metrics.fidelity import l1, psnr, ssim


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


def test_ssim_of_pictures_smaller_than_half_a_window_is_refused() -> None:
    assert ssim(torch.zeros(1, 3, 6, 6), torch.zeros(1, 3, 6, 6)).tolist() == [1]
    with pytest.raises(InputError, match=r"SSIM needs pictures of 6 x 6 pixels or more, got 5 x 9"):
        ssim(torch.zeros(1, 3, 5, 9), torch.zeros(1, 3, 5, 9))


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_and_ssim_equal_those_of_scikit_image(channels: int, pair: tuple[Tensor, Tensor]) -> None:
    image, target = (pictures[:, :channels] for pictures in pair)
    for index in range(2):
        one, other = (pictures[index].double().numpy() / 2 + 0.5 for pictures in (image, target))
        assert psnr(image, target)[index] == pytest.approx(peak_signal_noise_ratio(other, one, data_range=1), abs=1e-4)
        # It leaves out the border, where windows reach beyond: here, what was mirrored.
        mirrored = [np.pad(picture, ((0, 0), (5, 5), (5, 5)), mode="reflect") for picture in (one, other)]
        expected = structural_similarity(
            *mirrored, data_range=1, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert ssim(image, target)[index] == pytest.approx(expected, abs=1e-4)


def test_l1_is_a_share_of_the_whole_range() -> None:
    target = torch.full((3, 2, 4, 4), -1.0)
    image = torch.stack([torch.full((2, 4, 4), value) for value in (-1.0, 0.0, 1.0)])
    image[1, 0] = -1.0
    assert l1(image, target).tolist() == [0.0, 0.25, 1.0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", METRICS)
def test_scores_are_per_picture_and_worse_with_noise(name: str, channels: int) -> None:
    numbers = torch.Generator().manual_seed(2)
    target = torch.rand(2, channels, 176, 180, generator=numbers) * 2 - 1
    noise = torch.randn(target.shape, generator=numbers) * torch.tensor([0.05, 0.5]).view(2, 1, 1, 1)
    image = (target + noise).clamp(-1, 1)
    scores = METRICS[name](image, target)
    assert scores.shape == (2,)
    assert scores.dtype == torch.float32
    better, worse = scores.tolist()[:: -1 if name == "l1" else 1]
    assert better > worse > 0
    torch.testing.assert_close(METRICS[name](image[1:], target[1:]), scores[1:])


def test_training_looks_at_those_only_that_are_quick() -> None:
    assert metrics_of(ImageSpec()) == tuple(METRICS)
    assert watched_metrics(ImageSpec()) == ("psnr", "ssim")
    assert watched_metrics(ImageSpec(1, "uint16", unit="mm")) == metrics_of(ImageSpec(1, "uint16", unit="mm"))
