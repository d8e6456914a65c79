from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from pixelwise.codecs import IMAGE_MODES, decode_with_metadata
from pixelwise.encoding import encode
from pixelwise.errors import InputError
from pixelwise.metadata import NO_METADATA, Metadata
from pixelwise.rasters import write_jpeg, write_png

RANDOM = np.random.default_rng(0)


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def write(path: Path, image: np.ndarray, step: int, metadata: Metadata = NO_METADATA) -> None:
    writer = write_png if path.suffix == ".png" else write_jpeg
    with writer(path, image.shape[:2], image.shape[2], image.dtype.name, metadata) as push:
        for top in range(0, len(image), step):
            push(image[top : top + step])


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("step", [1, 7, 16, 33, 70])
def test_rows_that_come_anyhow_are_one_picture(tmp_path: Path, channels: int, dtype: str, step: int) -> None:
    image = pixels(70, 9, channels, dtype=dtype)
    image[20:50] = image[20, 0]  # flat rows between noisy ones
    profile = Metadata(icc=b"profile", exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0")
    write(tmp_path / "a.png", image, step, profile)
    found, metadata = decode_with_metadata(tmp_path / "a.png", IMAGE_MODES)
    np.testing.assert_array_equal(found.reshape(image.shape), image)
    assert metadata.icc == b"profile"


def test_what_is_flat_stays_small_wherever_it_lies(tmp_path: Path) -> None:
    noise, flat = pixels(16, 500, 3), np.zeros((2000, 500, 3), np.uint8)
    write(tmp_path / "a.png", np.concatenate([noise, flat]), 16)
    assert (tmp_path / "a.png").stat().st_size < noise.size + flat.size / 100


def test_what_is_no_png_is_refused_before(tmp_path: Path) -> None:
    for name, size, channels, dtype in (
        ("a.jpg", (4, 4), 3, "uint8"),
        ("a.png", (0, 4), 3, "uint8"),
        ("a.png", (4, 4), 5, "uint8"),
        ("a.png", (4, 4), 3, "float32"),
    ):
        with pytest.raises(InputError, match=name), write_png(tmp_path / name, size, channels, dtype):
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (7, 70), (64, 9), (65, 16), (300, 33)])
@pytest.mark.parametrize("step", [1, 100, 300])
def test_a_jpeg_by_rows_is_the_picture_that_is_encoded_whole(
    tmp_path: Path, size: tuple[int, int], channels: int, step: int
) -> None:
    image = pixels(*size, channels)
    described = Metadata(icc=b"profile", exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", xmp=b"<x/>")
    write(tmp_path / "rows.jpg", image, step, described)
    encode(tmp_path / "whole.jpg", image, described)
    found, expected = (decode_with_metadata(tmp_path / name, IMAGE_MODES) for name in ("rows.jpg", "whole.jpg"))
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1] == expected[1]


def test_a_jpeg_by_rows_is_sound_to_another_decoder(tmp_path: Path) -> None:
    vips = pytest.importorskip("pyvips")
    write(tmp_path / "a.jpg", pixels(700, 50, 3), 10)
    whole = vips.Image.new_from_file(str(tmp_path / "a.jpg"), access="sequential", fail_on="warning").numpy()
    np.testing.assert_array_equal(whole, decode_with_metadata(tmp_path / "a.jpg", IMAGE_MODES)[0])


def test_what_is_no_jpeg_is_refused_before(tmp_path: Path) -> None:
    for name, size, channels, dtype in (
        ("a.png", (4, 4), 3, "uint8"),
        ("a.jpg", (4, 0), 3, "uint8"),
        ("a.jpg", (4, 65501), 3, "uint8"),
        ("a.jpg", (4, 4), 4, "uint8"),
        ("a.jpg", (4, 4), 3, "uint16"),
    ):
        with pytest.raises(InputError, match=name), write_jpeg(tmp_path / name, size, channels, dtype):
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 4, 1), (5, 4, 3), (3, 4, 3)])
def test_other_rows_than_were_announced_leave_nothing(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="rows"), write_png(tmp_path / "a.png", (4, 4), 3, "uint8") as push:
        push(pixels(*shape))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_on_a_full_disk_nothing_is_left(
    tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]], name: str
) -> None:
    image = pixels(200, 100, 3)
    with full_disk(30_000), pytest.raises(InputError, match=rf"{name}: cannot be written: File too large"):
        write(tmp_path / name, image, 20)
    assert not list(tmp_path.iterdir())
