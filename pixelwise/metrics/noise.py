"""How noisy a picture is, without knowing the clean one."""

from __future__ import annotations

from torch import Tensor

from pixelwise.images import GREY_LEVEL

_MEDIAN_TO_SIGMA = 1 / 0.6745
"""Half of all normally distributed numbers lie within 0.6745 standard deviations."""

_FEWEST = 1000


def noise_level(image: Tensor) -> float | None:
    """The standard deviation of white Gaussian noise in a picture, estimated robustly from its finest diagonal details.

    Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994, Sec. 4.2: the median
    magnitude of the finest wavelet coefficients, of which few are the picture's own. The wavelet is Haar's, and only
    its diagonal coefficients count, in which edges, mostly level or upright, hardly show.

    Args:
        image: B C H W in [-1, 1]; all of it counts together.

    Returns:
        Grey levels 0..255; fine texture is taken for noise of a few of them. None for a picture of less than 4000
        values, which is too small to tell.
    """
    height, width = (side // 2 * 2 for side in image.shape[-2:])
    even, odd = image[..., 0:height:2, :width], image[..., 1:height:2, :width]
    upright = even - odd
    diagonal = (upright[..., 0::2] - upright[..., 1::2]) / 2
    if diagonal.numel() < _FEWEST:
        return None
    return float(diagonal.abs().median()) * _MEDIAN_TO_SIGMA / GREY_LEVEL
