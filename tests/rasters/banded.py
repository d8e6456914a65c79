"""Pictures by bands of rows, beside what is decoded whole."""

from pathlib import Path

import numpy as np

from pixelwise.codecs import IMAGE_MODES, decode
from pixelwise.rasters import Raster, open_raster

RANDOM = np.random.default_rng(0)


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    if dtype == "float32":
        return RANDOM.random(shape, np.float32)
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def in_bands(raster: Raster, height: int, overlap: int = 0) -> np.ndarray:
    """The picture put together from bands, each but for the rows that it shares with the one before."""
    pieces = []
    for top in range(0, raster.size[0], height):
        rows = raster.rows(max(top - overlap, 0), min(top + height + overlap, raster.size[0]))
        pieces.append(rows[min(top, overlap) :][:height])
    return np.concatenate(pieces)


def check_equal(path: Path, modes: dict[str, str] = IMAGE_MODES) -> None:
    expected = decode(path, modes)
    with open_raster(path, modes) as raster:
        assert (raster.size, raster.shape, raster.dtype) == (expected.shape[:2], expected.shape, expected.dtype)
        assert raster.channels == (1 if expected.ndim == 2 else expected.shape[2])
        for height, overlap in ((7, 0), (50, 3), (10_000, 0), (64, 64)):
            rows = in_bands(raster, height, overlap)
            assert rows.dtype == expected.dtype
            np.testing.assert_array_equal(rows, expected)
        np.testing.assert_array_equal(raster.rows(3, 5), expected[3:5])
