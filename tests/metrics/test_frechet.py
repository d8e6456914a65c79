"""The Fréchet distance where it is known, beside torchmetrics', and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance

from pixelwise.errors import InputError
from pixelwise.metrics.frechet import (
    FeatureStatistics,
    frechet_caveat,
    frechet_distance,
    read_statistics,
    statistics_of,
    write_statistics,
)


def correlated(count: int, dimensions: int, seed: int, spread: float = 1.0) -> np.ndarray:
    """Features as float32, whose mean is not 0 and whose covariance is not diagonal."""
    numbers = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dimensions, dimensions)) * spread
    return (numbers.normal(size=(count, dimensions)) @ mixing + numbers.normal(size=dimensions)).astype(np.float32)


def torchmetrics_distance(first: np.ndarray, second: np.ndarray) -> float:
    fid = FrechetInceptionDistance(feature=nn.Flatten(), input_img_size=(first.shape[1], 1, 1)).set_dtype(torch.float64)
    for features, real in ((first, True), (second, False)):
        fid.update(torch.from_numpy(features).double()[..., None, None], real=real)
    return fid.compute().item()


def test_statistics_are_those_of_numpy() -> None:
    # More than one block.
    features = correlated(1300, 5, seed=1)
    statistics = statistics_of(features)
    assert (statistics.count, statistics.dimensions) == (1300, 5)
    np.testing.assert_allclose(statistics.mean, features.astype(np.float64).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.covariance, np.cov(features.astype(np.float64), rowvar=False), rtol=1e-10)


def test_merged_parts_are_the_whole() -> None:
    features = correlated(40, 6, seed=2)
    parts = [statistics_of(part) for part in (features[:1], features[1:29], features[29:])]
    whole, merged = statistics_of(iter(features)), parts[0].merged(parts[1]).merged(parts[2])
    assert merged.count == whole.count
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(merged.covariance, whole.covariance, rtol=1e-10)


def test_small_deviations_from_a_great_mean_are_kept() -> None:
    features = np.random.default_rng(3).normal(size=(600, 2)) * 1e-3 + 1e5
    variances = np.diag(statistics_of(features).covariance)
    np.testing.assert_allclose(variances, features.var(axis=0, ddof=1), rtol=1e-6)


@pytest.mark.parametrize("count", [200, 12])
def test_a_set_has_no_distance_from_itself(count: int) -> None:
    statistics = statistics_of(correlated(count, 32, seed=4))
    assert frechet_distance(statistics, statistics) < 1e-9 * np.trace(statistics.covariance)


@pytest.mark.parametrize("count", [200, 12])
def test_a_shift_of_all_pictures_by_d_is_d_squared(count: int) -> None:
    features = correlated(count, 32, seed=5).astype(np.float64)
    shift = np.linspace(-1, 2, 32)
    distance = frechet_distance(statistics_of(features), statistics_of(features + shift))
    assert distance == pytest.approx(shift @ shift, rel=1e-9)


def test_diagonal_covariances_have_a_closed_form() -> None:
    first, second = np.array([4.0, 9.0, 0.0, 1.0]), np.array([1.0, 16.0, 25.0, 0.0])
    distance = frechet_distance(
        FeatureStatistics(np.zeros(4), np.diag(first)), FeatureStatistics(np.ones(4), np.diag(second))
    )
    # |d|² + the sum of (s1 - s2)²
    assert distance == pytest.approx(4 + 1 + 1 + 25 + 1, rel=1e-12)


def test_pictures_that_are_all_the_same_have_a_distance() -> None:
    one = statistics_of(np.ones((3, 4)))
    other = statistics_of(correlated(9, 4, seed=6))
    expected = np.sum((other.mean - 1) ** 2) + np.trace(other.covariance)
    assert frechet_distance(one, other) == pytest.approx(expected)
    assert frechet_distance(one, one) == 0


def test_it_is_symmetric() -> None:
    first, second = (statistics_of(correlated(20, 24, seed)) for seed in (7, 8))
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-10)


@pytest.mark.parametrize(("count", "dimensions"), [(300, 16), (300, 128), (40, 64)])
def test_it_is_that_of_torchmetrics(count: int, dimensions: int) -> None:
    first, second = correlated(count, dimensions, seed=9), correlated(count + 7, dimensions, seed=10, spread=0.7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = torchmetrics_distance(first, second)
    assert frechet_distance(statistics_of(first), statistics_of(second)) == pytest.approx(expected, rel=1e-4)


def test_few_pictures_are_said_to_be_few() -> None:
    assert frechet_caveat(8, 8) is None
    assert "7 pictures are fewer than the 8 dimensions" in str(frechet_caveat(7, 8))


def test_a_file_keeps_all(tmp_path: Path) -> None:
    statistics = statistics_of(correlated(20, 5, seed=13), features="inception-clean")
    write_statistics(tmp_path / "sub" / "real.npz", statistics)
    read = read_statistics(tmp_path / "sub" / "real.npz")
    assert (read.count, read.features) == (20, "inception-clean")
    assert np.array_equal(read.mean, statistics.mean)
    assert np.array_equal(read.covariance, statistics.covariance)
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["real.npz"]


def test_published_files_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "real.npz", mu=np.zeros(3, np.float32), sigma=np.eye(3, dtype=np.float32))
    read = read_statistics(tmp_path / "real.npz")
    assert (read.count, read.features, read.covariance.dtype) == (0, "", np.float64)
    with pytest.raises(InputError, match="unknown number of pictures"):
        read.merged(read)


BAD_FILES = {
    "no such file": None,
    "sigma is not a file": {"mu": np.zeros(3)},
    r"mu is \(3,\), sigma is \(2, 2\); expected D and D D": {"mu": np.zeros(3), "sigma": np.eye(2)},
    "not finite": {"mu": np.full(2, np.nan), "sigma": np.eye(2)},
    "not symmetric": {"mu": np.zeros(2), "sigma": np.array([[1.0, 0.5], [0.0, 1.0]])},
    "allow_pickle": {"mu": np.array([Path()]), "sigma": np.eye(1)},
}


@pytest.mark.parametrize("message", BAD_FILES)
def test_other_files_are_refused(message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    if (arrays := BAD_FILES[message]) is not None:
        np.savez(path, **arrays)
    with pytest.raises(InputError, match=rf"(?i)bad.npz.*({message})"):
        read_statistics(path)


@pytest.mark.parametrize("content", [b"", b"mu, sigma", b"PK\x03\x04 cut off"])
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"bad.npz: not an .npz of feature statistics"):
        read_statistics(tmp_path / "bad.npz")


def test_a_plain_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"bad.npy: not an .npz of feature statistics"):
        read_statistics(tmp_path / "bad.npy")
    with pytest.raises(InputError, match=r"written as .npz"):
        write_statistics(tmp_path / "bad.npy", statistics_of(np.eye(2)))


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([], "no features"),
        ([np.zeros(2), np.zeros(3)], "vectors of one length"),
        ([np.zeros((2, 2))], "vectors of one length"),
        ([np.zeros(2), np.array([0, np.nan])], "features of 1 pictures of 2 are NaN or infinite"),
    ],
)
def test_features_that_are_none_are_refused(vectors: list[np.ndarray], message: str) -> None:
    with pytest.raises(InputError, match=message):
        statistics_of(vectors)


def test_features_that_do_not_compare_are_refused() -> None:
    clean = statistics_of(np.eye(3), features="inception-clean")
    for other, message in (
        (statistics_of(np.eye(3), features="inception-published"), "'inception-clean' and 'inception-published'"),
        (statistics_of(np.eye(4)), "of 3 and of 4 dimensions"),
        (statistics_of(np.ones((1, 3))), "at least 2 pictures"),
    ):
        with pytest.raises(InputError, match=message):
            frechet_distance(clean, other)
