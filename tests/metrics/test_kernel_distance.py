"""The kernel distance by its definition, beside torchmetrics', and what is refused."""

from __future__ import annotations

import math
import warnings
from itertools import permutations, product
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.image.kid import KernelInceptionDistance

from pixelwise.errors import InputError
from pixelwise.metrics.kernel_distance import cubic_kernel, kernel_distance, unbiased_mmd


def features(count: int, seed: int, shift: float = 0.0, dimensions: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dimensions)) + shift


def test_the_kernel_is_cubic() -> None:
    kernel = cubic_kernel(np.array([[1.0, 3.0]]), np.array([[2.0, 2.0], [0.0, 0.0]]))
    assert kernel.tolist() == [[125, 1]]


def test_the_estimate_is_its_definition() -> None:
    first, second = features(5, seed=1), features(4, seed=2, shift=0.3)

    def kernel(one: np.ndarray, other: np.ndarray) -> float:
        return float(sum(a * b for a, b in zip(one, other, strict=True)) / 8 + 1) ** 3

    expected = fmean(kernel(*pair) for pair in permutations(first, 2))
    expected += fmean(kernel(*pair) for pair in permutations(second, 2))
    expected -= 2 * fmean(kernel(*pair) for pair in product(first, second))
    assert unbiased_mmd(first, second) == pytest.approx(expected, rel=1e-10)


def test_it_is_that_of_torchmetrics() -> None:
    first, second = features(60, seed=3, dimensions=32), features(60, seed=4, shift=0.2, dimensions=32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kid = KernelInceptionDistance(feature=nn.Flatten(), subsets=1, subset_size=60)
    for vectors, real in ((first, True), (second, False)):
        kid.update(torch.from_numpy(vectors)[..., None, None], real=real)
    expected = kid.compute()[0].item()
    assert kernel_distance(first, second, subset_size=60).value == pytest.approx(expected, rel=1e-6)


def test_sets_of_one_kind_are_around_zero_and_others_are_not() -> None:
    real = features(400, seed=5)
    same = kernel_distance(real, features(300, seed=6), subset_size=100)
    other = kernel_distance(real, features(300, seed=7, shift=0.5), subset_size=100)
    assert abs(same.value) < same.deviation
    assert other.value > 10 * other.standard_error
    assert other.value > 10 * abs(same.value)


def test_the_value_is_that_of_all_pictures_within_its_error() -> None:
    first, second = features(200, seed=8), features(200, seed=9, shift=0.4)
    estimate = kernel_distance(first, second, subset_size=50, num_subsets=400)
    assert estimate.standard_error == pytest.approx(estimate.deviation / 20)
    assert estimate.value == pytest.approx(unbiased_mmd(first, second), abs=4 * estimate.standard_error)


def test_a_seed_draws_the_same_subsets() -> None:
    sets = features(30, seed=10), features(40, seed=11)
    drawn = [kernel_distance(*sets, subset_size=10, num_subsets=3, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_one_way_to_draw_has_no_deviation() -> None:
    whole = kernel_distance(features(20, seed=12), features(20, seed=13), subset_size=20)
    assert whole.value == pytest.approx(unbiased_mmd(features(20, seed=12), features(20, seed=13)))
    assert math.isnan(whole.deviation)
    assert math.isnan(whole.standard_error)


def test_features_may_lie_on_the_disk_or_come_one_by_one(tmp_path: Path) -> None:
    first, second = (features(30, seed).astype(np.float32) for seed in (14, 15))
    np.save(tmp_path / "first.npy", first)
    mapped = np.load(tmp_path / "first.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    expected = kernel_distance(first, second, subset_size=10, num_subsets=5)
    assert kernel_distance(mapped, list(second), subset_size=10, num_subsets=5) == expected


@pytest.mark.parametrize(
    ("count", "dimensions", "sizes", "message"),
    [
        (9, 8, {"subset_size": 10}, "9 pictures are fewer than the 10 of a subset"),
        (9, 8, {}, "9 pictures are fewer than the 1000 of a subset"),
        (9, 8, {"subset_size": 1}, "subsets of 2 or more, got 100 subsets of 1"),
        (9, 8, {"subset_size": 5, "num_subsets": 0}, "got 0 subsets of 5"),
        (9, 7, {"subset_size": 5}, "features of 7 and of 8 dimensions"),
    ],
)
def test_too_little_is_refused(count: int, dimensions: int, sizes: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        kernel_distance(features(count, seed=16, dimensions=dimensions), features(50, seed=17), **sizes)


def test_features_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="NaN or infinite"):
        kernel_distance(np.full((5, 8), np.inf), features(5, seed=18), subset_size=5)
