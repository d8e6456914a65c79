import pytest
import torch
from torch import Tensor

from pixelwise.metrics.noise import noise_level

GREY_LEVEL = 2 / 255


def scene(channels: int = 1) -> Tensor:
    """Smooth shades and sharp edges, level, upright and slanting."""
    y, x = torch.meshgrid(torch.linspace(0, 9, 160), torch.linspace(0, 7, 201), indexing="ij")
    shades = 0.4 * torch.sin(x) * torch.cos(y) + 0.3 * (x > 3).float() - 0.4 * (x + y > 9).float()
    return shades.expand(1, channels, -1, -1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [0, 5, 15, 25, 50])
def test_known_noise_is_found(sigma: float, channels: int) -> None:
    clean = scene(channels)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    assert noise_level(clean + sigma * GREY_LEVEL * noise) == pytest.approx(sigma, rel=0.05, abs=0.7)


def test_a_small_picture_does_not_tell() -> None:
    assert noise_level(torch.randn(1, 1, 60, 60)) is None
    assert noise_level(torch.randn(1, 1, 1, 10_000)) is None
    assert noise_level(torch.randn(1, 1, 65, 65)) is not None
