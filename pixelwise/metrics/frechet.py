"""The Fréchet distance between two sets of pictures, by the features that a network finds in them.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017, Eq. 6:
features of each set are taken for normally distributed. With Inception's features it is the FID; with those of another
network it must be called otherwise, since its figures do not compare.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from pixelwise.atomic import write_atomically
from pixelwise.errors import InputError

_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile)
"""What NumPy raises for files that hold something else, or are damaged."""

_BLOCK = 512
"""Vectors that are summed at once: 8 MB of Inception's, beside the 34 MB of its covariance."""


@dataclass(frozen=True)
class FeatureStatistics:
    """What a Fréchet distance needs to know of a set of features of D dimensions.

    Attributes:
        mean: D float64.
        covariance: D D float64, of which the diagonal holds unbiased variances; zeros of a single picture.
        count: of pictures; 0 where a file does not say.
        features: what they are of: network and reduction, e.g. "inception-clean"; empty where a file does not say.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int = 0
    features: str = ""

    @property
    def dimensions(self) -> int:
        return len(self.mean)

    def merged(self, other: FeatureStatistics) -> FeatureStatistics:
        """Of both sets together (Chan, Golub, LeVeque 1979, Eq. 2.1).

        Raises:
            InputError: features of other kinds, or a set of unknown size.
        """
        _check_same_features(self, other)
        if not self.count or not other.count:
            raise InputError("statistics of an unknown number of pictures cannot be merged")
        count, difference = self.count + other.count, other.mean - self.mean
        scatter = self.covariance * (self.count - 1) + other.covariance * (other.count - 1)
        scatter += np.outer(difference, difference) * (self.count * other.count / count)
        mean = self.mean + difference * (other.count / count)
        return FeatureStatistics(mean, scatter / (count - 1), count, self.features or other.features)


def statistics_of(vectors: Iterable[np.ndarray], features: str = "") -> FeatureStatistics:
    """The statistics of features that come one by one, in bounded memory.

    Args:
        vectors: D each; the rows of an array N D, of memory or of a file, are such.
        features: what they are of.

    Raises:
        InputError: none at all, vectors of different lengths, or values that are NaN or infinite.
    """
    total: FeatureStatistics | None = None
    for block in _blocks(vectors):
        part = _of_block(block, features)
        total = part if total is None else total.merged(part)
    if total is None:
        raise InputError("no features: expected those of one picture at least")
    return total


def frechet_distance(first: FeatureStatistics, second: FeatureStatistics) -> float:
    """Eq. 6: |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½), at least 0, which is that of equal statistics.

    The last term is found by factors C = F F': the roots of C1 C2's eigenvalues are the singular values of F1' F2. No
    root is taken of a product that is not symmetric, and where there are fewer pictures than dimensions, covariances
    being singular, factors have only as many columns as there are pictures.

    Raises:
        InputError: features of other kinds, or a set of one picture.
    """
    _check_same_features(first, second)
    if 1 in (first.count, second.count):
        raise InputError("a Fréchet distance needs at least 2 pictures on either side, got 1")
    difference = first.mean - second.mean
    common = np.linalg.svd(_factor(first.covariance).T @ _factor(second.covariance), compute_uv=False).sum()
    distance = difference @ difference + np.trace(first.covariance) + np.trace(second.covariance) - 2 * common
    # Equal sets differ by rounding.
    return max(float(distance), 0.0)


def frechet_caveat(count: int, dimensions: int) -> str | None:
    """What must be said beside a distance between sets, of which the smaller has so many pictures.

    Fewer than features have dimensions, and their covariance is singular, and the distance far too great: it falls with
    more of the same pictures, and compares only with that of as many. None where there is nothing to be said.
    """
    if count >= dimensions:
        return None
    return (
        f"{count} pictures are fewer than the {dimensions} dimensions of their features: the Fréchet distance is too "
        "great, and compares only with that of as many pictures; a kernel distance has no such bias"
    )


def write_statistics(path: Path, statistics: FeatureStatistics) -> None:
    """An ``.npz`` of ``mu`` and ``sigma``, as statistics of FID are published, and beside them count and features.

    Raises:
        InputError: another suffix.
        OSError: disk full or no permission; what stood there is untouched.
    """
    if path.suffix != ".npz":
        raise InputError(f"{path}: statistics of features are written as .npz")
    gaussian = {"mu": statistics.mean, "sigma": statistics.covariance}
    about = {"count": np.array(statistics.count), "features": np.array(statistics.features)}
    write_atomically(path, lambda beside: np.savez(beside, allow_pickle=False, **gaussian, **about))


def read_statistics(path: Path) -> FeatureStatistics:
    """What ``write_statistics`` wrote, or others published.

    Raises:
        InputError: no file, no ``.npz``, or one without a mean and a covariance that fit each other.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            mean, covariance = (np.asarray(file[name], np.float64) for name in ("mu", "sigma"))
            count, features = int(file.get("count", 0)), str(file.get("features", ""))
    except _UNREADABLE as error:
        raise InputError(f"{path}: not an .npz of feature statistics ({error})") from error
    if mean.ndim != 1 or not len(mean) or covariance.shape != 2 * mean.shape:
        raise InputError(f"{path}: mu is {mean.shape}, sigma is {covariance.shape}; expected D and D D")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all() and np.allclose(covariance, covariance.T)):
        raise InputError(f"{path}: mu or sigma is not finite, or sigma not symmetric")
    return FeatureStatistics(mean, covariance, count, features)


def _blocks(vectors: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """N D float64, N at most _BLOCK."""
    rest = iter(vectors)
    while block := list(islice(rest, _BLOCK)):
        lengths = {np.shape(vector) for vector in block}
        if len(lengths) > 1 or len(next(iter(lengths))) != 1:
            raise InputError(f"features of one set are vectors of one length, got {', '.join(map(str, lengths))}")
        yield np.stack(block).astype(np.float64)


def _of_block(block: np.ndarray, features: str) -> FeatureStatistics:
    if wrong := np.count_nonzero(~np.isfinite(block).all(axis=1)):
        raise InputError(f"features of {wrong} pictures of {len(block)} are NaN or infinite")
    mean = block.mean(axis=0)
    centred = block - mean
    return FeatureStatistics(mean, centred.T @ centred / max(len(block) - 1, 1), len(block), features)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """F, D R, of full rank R, so that F F' is the covariance."""
    eigenvalues, eigenvectors = np.linalg.eigh(covariance)
    # What is left of zeros after rounding; their roots would not be small any more.
    zero = len(covariance) * np.finfo(np.float64).eps * eigenvalues[-1]
    kept = eigenvalues > max(zero, 0)
    factor: np.ndarray = eigenvectors[:, kept] * np.sqrt(eigenvalues[kept])
    return factor


def _check_same_features(first: FeatureStatistics, second: FeatureStatistics) -> None:
    if first.dimensions != second.dimensions:
        raise InputError(f"features of {first.dimensions} and of {second.dimensions} dimensions do not compare")
    if first.features and second.features and first.features != second.features:
        raise InputError(f"features {first.features!r} and {second.features!r} do not compare")
