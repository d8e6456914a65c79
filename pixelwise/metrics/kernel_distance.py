"""The kernel distance between two sets of pictures, by the features that a network finds in them.

Bińkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", ICLR 2018, Sec. 4: the squared maximum mean discrepancy
under a cubic kernel. Unlike the Fréchet distance it has an estimate without bias, so that small sets compare too. With
Inception's features it is the KID; with those of any other network it must be called otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelwise.errors import InputError


@dataclass(frozen=True)
class KernelDistance:
    """What was estimated. Papers give it a thousandfold at times; here it is as it is.

    Attributes:
        value: the mean over subsets; around 0, and so perhaps below it, for sets of the same kind.
        deviation: of single subsets' estimates, which papers print behind ±; NaN where only one subset can be drawn.
        standard_error: of the mean, as if subsets were drawn independently. They are drawn from the same pictures, so
            it tells how much the draw moves the value; other pictures may move it more.
    """

    value: float
    deviation: float
    standard_error: float


def kernel_distance(
    first: Sequence[np.ndarray] | np.ndarray,
    second: Sequence[np.ndarray] | np.ndarray,
    subset_size: int = 1000,
    num_subsets: int = 100,
    seed: int = 0,
) -> KernelDistance:
    """The mean of ``unbiased_mmd`` over subsets of both sets, drawn without replacement; published as 100 of 1000.

    Args:
        first, second: features of D dimensions, a vector for each picture; arrays N D, on the disk perhaps: only one
            subset of each is in memory.
        subset_size: pictures of each set in a subset.
        num_subsets: how many are drawn.
        seed: of the draw.

    Raises:
        InputError: a set of fewer pictures than a subset, a subset of fewer than 2, no subsets, features of different
            dimensions, or that are NaN or infinite.
    """
    if subset_size < 2 or num_subsets < 1:
        raise InputError(f"a kernel distance needs subsets of 2 or more, got {num_subsets} subsets of {subset_size}")
    if (fewest := min(len(first), len(second))) < subset_size:
        raise InputError(
            f"{fewest} pictures are fewer than the {subset_size} of a subset of the kernel distance; "
            f"give more pictures, or take subsets of at most {fewest} (figures of different ones do not compare)"
        )
    if len(first[0]) != len(second[0]):
        raise InputError(f"features of {len(first[0])} and of {len(second[0])} dimensions do not compare")
    # What is the whole of both sets can be drawn in one way only.
    num_draws = num_subsets if subset_size < max(len(first), len(second)) else 1
    generator = np.random.default_rng(seed)
    estimates = [
        unbiased_mmd(_drawn(first, subset_size, generator), _drawn(second, subset_size, generator))
        for _ in range(num_draws)
    ]
    deviation = float(np.std(estimates, ddof=1)) if num_draws > 1 else math.nan
    return KernelDistance(float(np.mean(estimates)), deviation, deviation / math.sqrt(num_draws))


def unbiased_mmd(first: np.ndarray, second: np.ndarray) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, Eq. 3), by ``cubic_kernel``.

    Args:
        first, second: M D and N D, float64; M and N at least 2.
    """
    within = sum(_mean_of_pairs(cubic_kernel(features, features)) for features in (first, second))
    return within - 2 * float(cubic_kernel(first, second).mean())


def cubic_kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(x·y / D + 1)³ for every row x of ``first``, M D, and y of ``second``, N D: M N."""
    kernel: np.ndarray = (first @ second.T / first.shape[1] + 1) ** 3
    return kernel


def _mean_of_pairs(kernel: np.ndarray) -> float:
    """Over all pairs of two different rows."""
    size = len(kernel)
    return float((kernel.sum() - kernel.trace()) / (size * (size - 1)))


def _drawn(features: Sequence[np.ndarray] | np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    # In order, so that a file is read from front to back.
    chosen = np.sort(generator.choice(len(features), size, replace=False))
    vectors = np.stack([features[int(number)] for number in chosen]).astype(np.float64)
    if not np.isfinite(vectors).all():
        raise InputError("features of a kernel distance are NaN or infinite")
    return vectors
