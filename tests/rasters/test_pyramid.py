import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from pixelwise.codecs import IMAGE_MODES, decode
from pixelwise.errors import InputError
from pixelwise.rasters import open_raster, pyramid, write_pyramid
from pixelwise.rasters.tiled_tiff import TiledTiff

RANDOM = np.random.default_rng(0)


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    if dtype == "float32":
        return RANDOM.integers(0, 256, shape).astype(np.float32) / 256
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def halved(image: np.ndarray) -> np.ndarray:
    means = image.reshape(image.shape[0] // 2, 2, image.shape[1] // 2, 2, -1).mean((1, 3), np.float64)
    return means.astype(image.dtype) if image.dtype.kind == "f" else np.floor(means + 0.5).astype(image.dtype)


def write(path: Path, image: np.ndarray, step: int = 50, **options: int) -> None:
    with write_pyramid(path, image.shape[:2], image.shape[2], image.dtype.name, **options) as push:
        for top in range(0, len(image), step):
            push(image[top : top + step])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("channels", "dtype"),
    [(1, "uint8"), (2, "uint16"), (3, "uint8"), (3, "uint16"), (4, "uint8"), (7, "uint16"), (3, "float32")],
)
def test_levels_are_means_of_the_level_above(tmp_path: Path, channels: int, dtype: str, compressed: bool):
    image, path = pixels(192, 320, channels, dtype=dtype), tmp_path / "a.tif"
    write(path, image, tile=32, compressed=compressed)
    with tifffile.TiffFile(path) as file:
        assert len(file.series) == 1
        levels = [level.asarray() for level in file.series[0].levels]
        assert all(page.is_tiled and page.tilewidth == page.tilelength == 32 for page in file.pages)
    assert [level.shape[:2] for level in levels] == [(192, 320), (96, 160), (48, 80), (24, 40), (12, 20)]
    for level in levels:
        assert level.dtype == image.dtype
        np.testing.assert_array_equal(level.reshape(image.shape), image)
        image = halved(image) if len(image) > 12 else image


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (16, 16), (17, 33), (255, 257)])
def test_any_size_comes_back_whole_and_by_rows(tmp_path: Path, size: tuple[int, int]):
    image, path = pixels(*size, 3), tmp_path / "a.tif"
    write(path, image, tile=16, step=7)
    np.testing.assert_array_equal(decode(path, IMAGE_MODES), image)
    with open_raster(path, IMAGE_MODES) as raster:
        np.testing.assert_array_equal(raster.rows(0, size[0]), image)


def test_libvips_reads_every_level(tmp_path: Path):
    pyvips = pytest.importorskip("pyvips")
    image, path = pixels(100, 77, 3), tmp_path / "a.tif"
    write(path, image, tile=32)
    whole = pyvips.Image.new_from_file(str(path))
    assert (whole.get("n-pages"), whole.interpretation) == (3, "srgb")
    np.testing.assert_array_equal(whole.numpy(), image)
    with tifffile.TiffFile(path) as file:
        for number, level in enumerate(file.series[0].levels):
            np.testing.assert_array_equal(pyvips.Image.new_from_file(str(path), page=number).numpy(), level.asarray())


def test_alpha_is_marked_as_such(tmp_path: Path):
    write(tmp_path / "a.tif", pixels(20, 20, 4))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].photometric == tifffile.PHOTOMETRIC.RGB
        assert file.pages[0].extrasamples == (tifffile.EXTRASAMPLE.UNASSALPHA,)


def test_beyond_four_gigabytes_it_is_a_bigtiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    image = pixels(100, 77, 3)
    for limit, is_big in ((4_000_000_000, False), (30_000, True)):
        monkeypatch.setattr(pyramid, "_CLASSIC_LIMIT", limit)
        write(tmp_path / "a.tif", image, tile=32)
        with tifffile.TiffFile(tmp_path / "a.tif") as file:
            assert file.is_bigtiff == is_big
            assert [level.shape for level in file.series[0].levels] == [(100, 77, 3), (50, 39, 3), (25, 20, 3)]
        np.testing.assert_array_equal(decode(tmp_path / "a.tif", IMAGE_MODES), image)


def test_photos_shrink(tmp_path: Path):
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, 256, 3))
    write(tmp_path / "a.tif", np.ascontiguousarray(ramp))
    write(tmp_path / "b.tif", np.ascontiguousarray(ramp), compressed=False)
    assert (tmp_path / "a.tif").stat().st_size < (tmp_path / "b.tif").stat().st_size / 20


def test_the_file_is_not_there_before_it_is_complete(tmp_path: Path):
    path = tmp_path / "below" / "a.tif"
    path.parent.mkdir()
    path.write_text("old")
    with write_pyramid(path, (64, 64), 3, "uint8", tile=16) as push:
        push(pixels(64, 64, 3))
        assert path.read_text() == "old"
    assert decode(path, IMAGE_MODES).shape == (64, 64, 3)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_after_an_error_nothing_is_left(tmp_path: Path, error: type[BaseException]):
    def fail() -> None:
        with write_pyramid(tmp_path / "a.tif", (64, 64), 3, "uint8", tile=16) as push:
            push(pixels(50, 64, 3))
            raise error

    with pytest.raises(error):
        fail()
    assert not list(tmp_path.iterdir())


def test_an_interruption_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    append, lengths = TiledTiff.append, list[int]()

    def interrupted(tiff: TiledTiff, content: bytes) -> int:
        lengths.append(len(content))
        if len(lengths) == 7:
            raise KeyboardInterrupt
        return append(tiff, content)

    monkeypatch.setattr(TiledTiff, "append", interrupted)
    with pytest.raises(KeyboardInterrupt), write_pyramid(tmp_path / "a.tif", (64, 64), 3, "uint8", tile=16) as push:
        push(pixels(64, 64, 3))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("num_rows", "message"),
    [(0, "only 0 of 64 rows"), (63, "only 63 of 64 rows"), (65, "row 65 was written to a picture of 64 rows")],
)
def test_fewer_or_more_rows_are_an_error_and_leave_nothing(tmp_path: Path, num_rows: int, message: str):
    with pytest.raises(ValueError, match=message), write_pyramid(tmp_path / "a.tif", (64, 64), 3, "uint8") as push:
        push(pixels(num_rows, 64, 3))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
def test_on_a_full_disk_nothing_is_left(
    tmp_path: Path, share: float, full_disk: Callable[[int], AbstractContextManager[None]]
):
    path, image = tmp_path / "a.tif", pixels(64, 64, 3)
    write(path, image, tile=16, compressed=False)
    room = int(share * path.stat().st_size)
    path.write_text("old")
    with full_disk(room), pytest.raises(InputError, match=r"a\.tif: cannot be written: File too large"):
        write(path, image, tile=16, compressed=False)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_that_would_not_fit_the_disk_is_refused_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000_000))
    message = r"a\.tif: takes up to 1\.7 GB, but only 1\.0 GB are free"
    with pytest.raises(InputError, match=message), write_pyramid(tmp_path / "a.tif", (20_000, 20_000), 3, "uint8"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "size", "channels", "dtype", "tile", "message"),
    [
        ("a.png", (8, 8), 3, "uint8", 16, "written as .tif"),
        ("a.tif", (8, 8), 3, "uint8", 20, "multiple of 16, got 20"),
        ("a.tif", (8, 8), 3, "uint8", 0, "multiple of 16, got 0"),
        ("a.tif", (8, 0), 3, "uint8", 16, "cannot write rows of 8x0x3 uint8"),
        ("a.tif", (8, 8), 3, "float64", 16, "cannot write rows of 8x8x3 float64"),
    ],
)
def test_what_a_pyramid_cannot_be_is_refused(
    tmp_path: Path, name: str, size: tuple[int, int], channels: int, dtype: str, tile: int, message: str
):
    with pytest.raises(InputError, match=message), write_pyramid(tmp_path / name, size, channels, dtype, tile=tile):
        pass
    assert not list(tmp_path.iterdir())


MEASURED = """
import sys
from pathlib import Path
import numpy as np
from pixelwise.codecs import IMAGE_MODES
from pixelwise.rasters import open_raster, write_pyramid

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

side, path = 8000, Path(sys.argv[1])
rows = (np.arange(100 * side * 3) % 251).astype(np.uint8).reshape(100, side, 3)
before = peak()
with write_pyramid(path, (side, side), 3, "uint8") as push:
    for _ in range(side // 100):
        push(rows)
written = peak()
with open_raster(path, IMAGE_MODES) as raster:
    for top in range(0, side, 100):
        assert (raster.rows(top, top + 100) == rows).all()
print(written - before, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak of memory")
def test_memory_is_that_of_a_few_rows_of_tiles(tmp_path: Path):
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "a.tif")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    written, read = map(int, done.stdout.split())
    assert written < 100_000  # kB, of a picture of 192 MB
    assert read < 100_000
