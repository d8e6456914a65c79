"""Files that end early, are damaged, or are no pictures at all."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from banded import pixels
from PIL import Image

from pixelwise.codecs import IMAGE_MODES
from pixelwise.encoding import encode
from pixelwise.errors import InputError
from pixelwise.rasters import open_raster


@pytest.mark.parametrize(
    ("shape", "options", "removed", "present"),
    [
        ((100, 50, 3), {"photometric": "rgb"}, 40 * 50 * 3, 60),
        ((100, 50), {"rowsperstrip": 10}, 40 * 50 + 1, 59),
        ((4, 100, 50), {"planarconfig": "separate"}, 80 * 50, 20),
        ((2, 100, 50), {"planarconfig": "separate"}, 101 * 50, 0),
    ],
)
def test_a_tiff_that_ends_early_is_refused_with_the_rows_that_are_there(
    tmp_path: Path, shape: tuple[int, ...], options: dict[str, object], removed: int, present: int
):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(*shape), **{"photometric": "minisblack", **options})
    with tifffile.TiffFile(path) as file:
        end = file.pages[0].dataoffsets[-1] + file.pages[0].databytecounts[-1]
    path.write_bytes(path.read_bytes()[: end - removed])
    message = rf"a\.tif: ends early: {present} of its 100 rows are there, {100 - present} are missing"
    with pytest.raises(InputError, match=message), open_raster(path, IMAGE_MODES):
        pass


@pytest.mark.parametrize(
    ("shape", "options", "segment", "present"),
    [
        ((100, 50), {"tile": (32, 32)}, 3, 32),
        ((100, 50), {"rowsperstrip": 9}, 7, 63),
        ((100, 50), {"tile": (32, 32)}, 0, 0),
        ((3, 100, 50), {"tile": (32, 32), "planarconfig": "separate"}, 21, 64),
        ((3, 100, 50), {"tile": (32, 32), "planarconfig": "separate"}, 15, 0),
    ],
)
def test_a_compressed_tiff_that_ends_early_is_refused_too(
    tmp_path: Path, shape: tuple[int, ...], options: dict[str, object], segment: int, present: int
):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(*shape), photometric="minisblack", compression="zlib", **options)
    with tifffile.TiffFile(path) as file:
        end = file.pages[0].dataoffsets[segment] + file.pages[0].databytecounts[segment]
    path.write_bytes(path.read_bytes()[: end - 1])
    message = f"ends early: {present} of its 100 rows are there, {100 - present} are missing"
    with pytest.raises(InputError, match=message), open_raster(path, IMAGE_MODES):
        pass


def test_a_tiff_without_its_directory_is_refused(tmp_path: Path):
    path = tmp_path / "a.tif"
    Image.fromarray(pixels(100, 50)).save(path, compression="packbits")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"a\.tif: ends early: the directory"), open_raster(path, IMAGE_MODES):
        pass


def test_damage_is_found_where_it_is(tmp_path: Path):
    path, array = tmp_path / "a.tif", pixels(200, 50)
    tifffile.imwrite(path, array, compression="zlib", tile=(64, 64))
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].dataoffsets[2]
    content = bytearray(path.read_bytes())
    content[place : place + 20] = bytes(20)
    path.write_bytes(content)
    with open_raster(path, IMAGE_MODES) as raster:
        np.testing.assert_array_equal(raster.rows(0, 128), array[:128])
        with pytest.raises(InputError, match=r"a\.tif: rows 120 to 129 of 200 cannot be read, it may be damaged"):
            raster.rows(120, 130)
        np.testing.assert_array_equal(raster.rows(192, 200), array[192:])


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".png", ".jpg"])
@pytest.mark.parametrize(("content", "message"), [(b"", "is empty"), (b"II*\0", ""), (b"\x89PNG\r\n\x1a\n", "")])
def test_what_is_no_picture_is_refused(tmp_path: Path, suffix: str, content: bytes, message: str):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"a\{suffix}: .*{message}"), open_raster(path, IMAGE_MODES):
        pass


def test_what_the_codecs_refuse_is_refused(tmp_path: Path):
    Image.fromarray(pixels(20, 10)).convert("P").save(tmp_path / "palette.tif")
    np.save(tmp_path / "line.npy", pixels(20))
    np.save(tmp_path / "pickle.npy", np.array([{"code": "runs"}]), allow_pickle=True)
    (tmp_path / "folder.tif").mkdir()
    messages = {
        "palette.tif": "is a palette image",
        "line.npy": "is 20 uint8, expected height, width",
        "pickle.npy": "cannot be read",
        "folder.tif": "is a folder",
        "gone.tif": "no such file",
        "a.xyz": "unknown suffix",
    }
    for name, message in messages.items():
        with pytest.raises(InputError, match=f"{name}: .*{message}"), open_raster(tmp_path / name, IMAGE_MODES):
            pass


def test_errors_of_the_reader_keep_their_type(tmp_path: Path):
    encode(tmp_path / "a.tif", pixels(20, 10))
    with pytest.raises(KeyError), open_raster(tmp_path / "a.tif", IMAGE_MODES):
        raise KeyError
