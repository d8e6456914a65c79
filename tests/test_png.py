"""PNG files that Pillow reads as what was written, and that are not much larger than those that it writes itself."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pixelwise import png
from pixelwise.native import library
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


def ramp() -> np.ndarray:
    """Every filter but the first is of use: H W uint8."""
    y, x = np.mgrid[:90, :300]
    return ((x * x // 50 + 3 * y) % 256).astype(np.uint8)


def stripes() -> np.ndarray:
    """The same tile of noise again and again: H W 3 uint8."""
    return np.tile(RANDOM.integers(0, 256, (50, 40, 3), np.uint8), (4, 5, 1))


@pytest.fixture(params=library.instruction_sets() if library.missing() is None else ())
def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left to Pillow; the kernel is that for one instruction set."""
    kernel = library.kernel
    monkeypatch.setattr(library, "kernel", lambda name: kernel(name, request.param))
    monkeypatch.setattr(png, "_repeats", lambda rows, pixel_bytes: False)
    monkeypatch.delattr(png, "_by_pillow")


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (7, 5), (40, 333)])
@pytest.mark.parametrize(
    ("channels", "dtype"), [((), "uint8"), ((2,), "uint8"), ((3,), "uint8"), ((4,), "uint8"), ((), "uint16")]
)
def test_noise_comes_back(size: tuple[int, int], channels: tuple[int, ...], dtype: str) -> None:
    array = RANDOM.integers(0, np.iinfo(dtype).max, (*size, *channels), dtype, endpoint=True)
    stored = read_back(to_png(array))
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, array)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("picture", [landscape(), label_map(), np.zeros((50, 700), np.uint8), ramp(), stripes()])
def test_pictures_come_back(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(read_back(to_png(picture)), picture)


@pytest.mark.usefixtures("compiled")
def test_runs_of_every_length_come_back() -> None:
    lengths = np.arange(1, 600)
    row = np.repeat((lengths * 37 % 251).astype(np.uint8), lengths)
    # Under a row of noise no filter leaves less than the bytes themselves.
    array = np.stack([RANDOM.integers(0, 256, len(row), np.uint8), row])
    np.testing.assert_array_equal(read_back(to_png(array)), array)


@pytest.mark.usefixtures("compiled")
def test_bytes_so_rare_that_their_code_would_be_too_long_come_back() -> None:
    counts = [1, 1]
    while sum(counts) < 40_000:
        counts.append(counts[-1] + counts[-2])
    row = np.repeat(np.arange(len(counts), dtype=np.uint8)[::-1], counts)
    array = RANDOM.permutation(row)[None]
    np.testing.assert_array_equal(read_back(to_png(array)), array)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("band_bytes", [1, 900, 901, 1800, 10_000])
@pytest.mark.parametrize("block_bytes", [1, 2000])
def test_rows_are_joined_where_bands_and_blocks_meet(
    monkeypatch: pytest.MonkeyPatch, band_bytes: int, block_bytes: int
) -> None:
    monkeypatch.setattr(png, "_BAND_BYTES", band_bytes)
    monkeypatch.setattr(png, "_BLOCK_BYTES", block_bytes)
    array = landscape()
    np.testing.assert_array_equal(read_back(to_png(array)), array)


@pytest.mark.usefixtures("compiled")
def test_memory_may_lie_in_any_order() -> None:
    array = landscape(40, 30)
    for view in (array[::2, ::-1], np.asfortranarray(array), array[..., 0], array[..., 0].astype(">u2")):
        np.testing.assert_array_equal(read_back(to_png(view)), view)


@pytest.mark.parametrize("picture", [landscape(), landscape()[..., 0].astype(np.uint16) * 200, label_map()])
def test_without_a_compiler_pillow_writes(monkeypatch: pytest.MonkeyPatch, picture: np.ndarray) -> None:
    monkeypatch.setattr(library, "missing", lambda: "no compiler")
    monkeypatch.delattr(png, "_code")
    np.testing.assert_array_equal(read_back(to_png(picture)), picture)


@pytest.mark.parametrize("picture", [stripes(), stripes()[..., 0], np.zeros((4, 5), np.uint8)])
def test_what_repeats_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch, picture: np.ndarray) -> None:
    monkeypatch.setattr(png, "_stream", lambda rows, pixel_bytes: pytest.fail("was not left to Pillow"))
    np.testing.assert_array_equal(read_back(to_png(picture)), picture)


@pytest.mark.skipif(library.missing() is not None, reason="needs the compiled kernels")
def test_noisy_pictures_are_not_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(png, "_by_pillow")
    for picture in (landscape(), landscape(20, 30), landscape()[..., 0], landscape(8, 400)):
        np.testing.assert_array_equal(read_back(to_png(picture)), picture)


@pytest.mark.parametrize(
    "pictures", [[landscape(noise=noise) for noise in (1, 2, 3, 6, 12)], [label_map() for _ in range(6)], [stripes()]]
)
def test_files_are_not_much_larger_than_usual(pictures: list[np.ndarray]) -> None:
    turned = [np.ascontiguousarray(picture.swapaxes(0, 1)) for picture in pictures]
    grey = [picture[..., 0] for picture in pictures]
    deep = [picture.astype(np.uint16) * 100 for picture in grey]
    for kind in (pictures, turned, grey, deep):
        assert sum(len(to_png(picture)) for picture in kind) <= MOST * sum(map(size_by_pillow, kind))
