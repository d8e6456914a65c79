import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise.codecs import IMAGE_MODES, decode
from pixelwise.encoding import encode, to_bytes
from pixelwise.errors import InputError

RANDOM = np.random.default_rng(0)


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    if dtype == "float32":
        return RANDOM.random(shape, np.float32)
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize(
    ("suffix", "shape", "dtype"),
    [
        (".png", (5, 7), "uint8"),
        (".png", (5, 7), "uint16"),
        (".png", (5, 7, 2), "uint8"),
        (".png", (5, 7, 3), "uint8"),
        (".png", (5, 7, 4), "uint8"),
        (".png", (5, 7, 2), "uint16"),
        (".png", (5, 7, 3), "uint16"),
        (".png", (5, 7, 4), "uint16"),
        (".tif", (5, 7), "uint8"),
        (".tiff", (5, 7, 3), "uint8"),
        (".tif", (5, 7, 4), "uint16"),
        (".tif", (5, 7, 9), "uint16"),
        (".tif", (5, 7, 3), "float32"),
        (".tif", (5, 7, 12), "float32"),
        (".npy", (5, 7, 11), "float32"),
        (".npy", (5, 7), "uint16"),
        (".PNG", (5, 7), "uint8"),
    ],
)
def test_lossless_files_come_back_as_written(tmp_path: Path, suffix: str, shape: tuple[int, ...], dtype: str):
    array, path = pixels(*shape, dtype=dtype), tmp_path / f"image{suffix}"
    encode(path, array)
    stored = decode(path, IMAGE_MODES)
    assert stored.dtype == array.dtype
    np.testing.assert_array_equal(stored, array)


def test_one_channel_is_written_as_grey(tmp_path: Path):
    encode(tmp_path / "a.png", pixels(5, 7, 1))
    assert decode(tmp_path / "a.png", IMAGE_MODES).shape == (5, 7)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_png_files_of_pictures_are_not_much_larger_than_zlib_can_make_them(channels: tuple[int, ...]):
    y, x = np.mgrid[:200, :300] / 50
    shades = 128 + 60 * np.sin(x) * np.cos(y) + 40 * (x + y > 5)
    picture = (shades.reshape(200, 300, *[1] * len(channels)) + RANDOM.normal(0, 2, (200, 300, *channels))).astype("u1")
    usual = io.BytesIO()
    Image.fromarray(picture).save(usual, format="PNG")
    assert len(to_bytes(Path("a.png"), picture)) <= 1.15 * len(usual.getvalue())


@pytest.mark.parametrize("shape", [(64, 48), (64, 48, 3)])
def test_jpeg_stays_close(tmp_path: Path, shape: tuple[int, ...]):
    ramp = np.broadcast_to(np.linspace(0, 255, 48).reshape(1, 48, *[1] * (len(shape) - 2)), shape).astype(np.uint8)
    encode(tmp_path / "a.jpg", ramp)
    assert np.abs(decode(tmp_path / "a.jpg", IMAGE_MODES).astype(int) - ramp).max() <= 4


@pytest.mark.parametrize(
    ("suffix", "array", "message"),
    [
        (".gif", np.zeros((4, 4), np.uint8), r"cannot write '\.gif' files"),
        (".png", np.zeros((4, 4), np.float32), "PNG cannot keep 1 channel of float32, expected .tif, .tiff, .npy$"),
        (".png", np.zeros((4, 4, 3), np.float32), "PNG cannot keep 3 channels of float32"),
        (".png", np.zeros((4, 4, 5), np.uint8), "PNG cannot keep 5 channels of uint8"),
        (".jpg", np.zeros((4, 4, 4), np.uint8), "JPEG cannot keep 4 channels of uint8"),
        (
            ".jpg",
            np.zeros((4, 4), np.uint16),
            "JPEG cannot keep 1 channel of uint16, expected .png, .tif, .tiff, .npy$",
        ),
        (".jpg", np.zeros((1, 65501), np.uint8), "JPEG holds at most 65500 pixels a side"),
        (".npy", np.zeros((4, 4), np.float64), "NPY cannot keep 1 channel of float64, expected uint8, uint16, float32"),
        (".npy", np.zeros(4, np.uint8), "cannot write 4 uint8"),
    ],
)
def test_what_a_format_cannot_keep_is_refused(tmp_path: Path, suffix: str, array: np.ndarray, message: str):
    with pytest.raises(InputError, match=message):
        encode(tmp_path / f"a{suffix}", array)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encode(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    before = (tmp_path / "a.png").read_bytes()

    def full(path: Path, content: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"a\.png: cannot be written: No space left on device"):
        encode(tmp_path / "a.png", np.ones((4, 4), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == before


def test_flat_pictures_take_little_room() -> None:
    flat = np.zeros((512, 512, 3), np.uint8)
    flat[100:300, 50:400] = (9, 200, 30)
    assert len(to_bytes(Path("a.png"), flat)) < flat.size / 100
