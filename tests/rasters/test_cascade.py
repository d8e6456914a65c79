import numpy as np
import pytest

from pixelwise.errors import InputError
from pixelwise.rasters.cascade import Cascade, level_sizes

RANDOM = np.random.default_rng(0)


def halved(image: np.ndarray) -> np.ndarray:
    """By the definition: the mean of the pixels that there are in each 2 by 2; half up for integers."""
    height, width, channels = image.shape
    means = np.empty(((height + 1) // 2, (width + 1) // 2, channels))
    for y, x in np.ndindex(means.shape[:2]):
        means[y, x] = image[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean((0, 1), np.float64)
    return means.astype(image.dtype) if image.dtype.kind == "f" else np.floor(means + 0.5).astype(image.dtype)


def collected(image: np.ndarray, sizes: list[tuple[int, int]], band: int, overlap: int, step: int) -> list[np.ndarray]:
    """All levels, put together from their bands, each of which is checked to begin and end where it should."""
    levels: list[list[np.ndarray]] = [[] for _ in sizes]

    def emit(level: int, index: int, rows: np.ndarray) -> None:
        height = sizes[level][0]
        top, bottom = max(index * band - overlap, 0), min((index + 1) * band + overlap, height)
        assert index == len(levels[level])
        assert len(rows) == bottom - top
        levels[level].append(rows[index * band - top :][:band].copy())
        if index:
            np.testing.assert_array_equal(rows[: index * band - top], np.concatenate(levels[level])[top : index * band])

    cascade = Cascade(sizes, image.shape[2], image.dtype, band, overlap, emit)
    for top in range(0, len(image), step):
        cascade.push(image[top : top + step])
    cascade.finish()
    return [np.concatenate(bands) for bands in levels]


def test_sizes_are_halved_and_rounded_up():
    assert level_sizes((301, 203), 64) == [(301, 203), (151, 102), (76, 51), (38, 26)]
    assert level_sizes((5, 1), 1) == [(5, 1), (3, 1), (2, 1), (1, 1)]
    assert level_sizes((64, 64), 64) == [(64, 64)]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(61, 47, 3), (64, 32, 1), (1, 33, 2), (33, 1, 5), (1, 1, 3), (16, 16, 4)])
@pytest.mark.parametrize(("band", "overlap", "step"), [(16, 0, 5), (16, 0, 64), (14, 1, 1), (14, 3, 17), (100, 1, 9)])
def test_every_level_is_the_one_above_it_halved(
    dtype: str, shape: tuple[int, int, int], band: int, overlap: int, step: int
):
    image = RANDOM.integers(0, 256, shape).astype(dtype)
    image = image / np.float32(256) if dtype == "float32" else image * (257 if dtype == "uint16" else 1)
    image = image.astype(dtype)  # floats are 256ths, of which means are exact in any order
    sizes = level_sizes(shape[:2], 1)
    expected = image
    for level in collected(image, sizes, band, overlap, step):
        np.testing.assert_array_equal(level, expected)
        expected = halved(expected)


def test_the_largest_values_do_not_overflow():
    for dtype in ("uint8", "uint16"):
        image = np.full((4, 4, 1), np.iinfo(dtype).max, dtype)
        levels = collected(image, level_sizes((4, 4), 1), 2, 0, 4)
        assert [np.unique(level).tolist() for level in levels] == [[np.iinfo(dtype).max]] * 3


def test_one_channel_may_come_without_its_axis():
    image = RANDOM.integers(0, 256, (8, 6), np.uint8)
    bands = []
    cascade = Cascade([(8, 6)], 1, image.dtype, 4, 0, lambda level, index, rows: bands.append(rows.copy()))
    cascade.push(image)
    np.testing.assert_array_equal(np.concatenate(bands)[..., 0], image)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((9, 6, 3), np.uint8), "row 9 was written to a picture of 8 rows"),
        (np.zeros((2, 5, 3), np.uint8), "expected rows of 6 pixels, 3 channels of uint8; got"),
        (np.zeros((2, 6), np.uint8), "expected rows"),
        (np.zeros((2, 6, 3), np.uint16), "expected rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows: np.ndarray, message: str):
    cascade = Cascade([(8, 6)], 3, np.dtype(np.uint8), 4, 0, lambda level, index, band: None)
    with pytest.raises(ValueError, match=message):
        cascade.push(rows)


def test_rows_that_are_missing_are_an_error():
    cascade = Cascade([(8, 6)], 3, np.dtype(np.uint8), 4, 0, lambda level, index, band: None)
    cascade.push(np.zeros((7, 6, 3), np.uint8))
    with pytest.raises(ValueError, match="only 7 of 8 rows"):
        cascade.finish()


@pytest.mark.parametrize(
    ("size", "channels", "dtype"), [((0, 6), 3, "uint8"), ((8, 6), 0, "uint8"), ((8, 6), 3, "int8")]
)
def test_what_has_no_pixels_or_other_values_is_refused(size: tuple[int, int], channels: int, dtype: str):
    with pytest.raises(InputError, match="cannot write"):
        Cascade([size], channels, np.dtype(dtype), 4, 0, lambda level, index, band: None)
