"""PNG files that Pillow reads as what was written, and that are not much larger than those that it writes itself."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from pixelwise import png
from pixelwise.png import to_png

RANDOM = np.random.default_rng(0)
MOST = 1.15
"""Times as large as Pillow's own."""


def read_back(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        image.verify()
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        return np.array(image)


def size_by_pillow(array: np.ndarray) -> int:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return len(buffer.getvalue())


def landscape(height: int = 200, width: int = 300, noise: float = 3.0) -> np.ndarray:
    """Soft colours with a sharp edge, and some noise: H W 3 uint8."""
    y, x = np.mgrid[:height, :width] / 50
    planes = [128 + 60 * np.sin(x + channel) * np.cos(y) + 40 * (x + y > 5) for channel in range(3)]
    noisy = np.stack(planes, axis=-1) + RANDOM.normal(0, noise, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def label_map(height: int = 200, width: int = 300) -> np.ndarray:
    """Rectangles of one colour each: H W 3 uint8."""
    ids = np.zeros((height, width), int)
    for index in range(60):
        top, left = RANDOM.integers(0, height), RANDOM.integers(0, width)
        ids[top : top + RANDOM.integers(1, 60), left : left + RANDOM.integers(1, 60)] = index
    return RANDOM.integers(0, 256, (60, 3), np.uint8)[ids]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (7, 5)])
@pytest.mark.parametrize(
    ("channels", "dtype"), [((), "uint8"), ((2,), "uint8"), ((3,), "uint8"), ((4,), "uint8"), ((), "uint16")]
)
def test_what_was_written_is_read(size: tuple[int, int], channels: tuple[int, ...], dtype: str) -> None:
    array = RANDOM.integers(0, np.iinfo(dtype).max, (*size, *channels), dtype, endpoint=True)
    stored = read_back(to_png(array))
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, array)


def test_rows_are_joined_where_blocks_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    array = landscape()
    for num_bytes in (1, 900, 901, 1800, 10_000):
        monkeypatch.setattr(png, "_BLOCK_BYTES", num_bytes)
        np.testing.assert_array_equal(read_back(to_png(array)), array)


def test_memory_may_lie_in_any_order() -> None:
    array = landscape(40, 30)
    for view in (array[::2, ::-1], np.asfortranarray(array), array[..., 0], array[..., :1].astype(">u2")[..., 0]):
        np.testing.assert_array_equal(read_back(to_png(view)), view)


@pytest.mark.parametrize("pictures", [[landscape(noise=noise) for noise in (1, 2, 3, 6, 12)], [label_map() for _ in range(6)]])
def test_files_are_not_much_larger_than_usual(pictures: list[np.ndarray]) -> None:
    turned = [np.ascontiguousarray(picture.swapaxes(0, 1)) for picture in pictures]
    grey = [picture[..., 0] for picture in pictures]
    deep = [picture.astype(np.uint16) * 100 for picture in grey]
    for kind in (pictures, turned, grey, deep):
        assert sum(len(to_png(picture)) for picture in kind) <= MOST * sum(map(size_by_pillow, kind))


def test_only_flat_pictures_are_searched_for_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    levels, compressobj = [], zlib.compressobj

    def recorded(level: int) -> object:
        levels.append(level)
        return compressobj(level)

    monkeypatch.setattr(zlib, "compressobj", recorded)
    to_png(landscape())
    to_png(label_map())
    assert levels[0] < 3 < levels[1]
