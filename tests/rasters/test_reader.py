"""Files by rows give what they give whole."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from banded import check_equal, in_bands, pixels
from PIL import Image

from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES
from pixelwise.encoding import encode
from pixelwise.errors import InputError
from pixelwise.rasters import open_raster, stored_size


@pytest.mark.parametrize(
    ("shape", "dtype", "options"),
    [
        ((200, 90), "uint8", {}),
        ((200, 90, 3), "uint8", {"photometric": "rgb"}),
        ((200, 90, 3), "uint16", {"photometric": "rgb", "byteorder": ">", "rowsperstrip": 7}),
        ((200, 90, 4), "uint16", {"photometric": "rgb", "bigtiff": True, "tile": (32, 48)}),
        ((200, 90, 3), "uint8", {"photometric": "rgb", "compression": "zlib", "rowsperstrip": 1}),
        ((200, 90, 3), "uint16", {"photometric": "rgb", "compression": "zlib", "predictor": True, "tile": (64, 32)}),
        ((200, 90), "uint16", {"compression": "zlib", "byteorder": ">", "tile": (16, 16)}),
        ((200, 90), "float32", {"compression": "zlib", "tile": (128, 128)}),
        ((200, 90, 5), "uint16", {"planarconfig": "contig", "compression": "zlib", "tile": (32, 32)}),
        ((5, 200, 90), "uint8", {"planarconfig": "separate"}),
        ((5, 200, 90), "uint8", {"planarconfig": "separate", "compression": "zlib", "tile": (32, 32)}),
        ((5, 200, 90), "uint16", {"planarconfig": "separate", "compression": "zlib", "rowsperstrip": 9}),
        ((5, 200, 90), "uint8", {"metadata": {"axes": "CYX"}}),
        ((5, 200, 90), "uint8", {"metadata": {"axes": "CYX"}, "imagej": True}),
        ((5, 200, 90), "uint8", {"metadata": {"axes": "CYX"}, "ome": True, "compression": "zlib", "rowsperstrip": 9}),
    ],
)
def test_a_tiff_is_read_as_it_is_decoded_whole(
    tmp_path: Path, shape: tuple[int, ...], dtype: str, options: dict[str, object]
):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(*shape, dtype=dtype), **{"photometric": "minisblack", **options})
    check_equal(path)
    with open_raster(path, IMAGE_MODES) as raster:
        assert not raster.in_memory


@pytest.mark.parametrize("compression", ["raw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("array", [pixels(200, 90, 3), pixels(200, 90), pixels(200, 90, dtype="uint16")])
def test_a_tiff_from_elsewhere_is_read_as_it_is_decoded_whole(tmp_path: Path, array: np.ndarray, compression: str):
    path = tmp_path / "a.tif"
    Image.fromarray(array).save(path, compression=compression, strip_size=1000)
    check_equal(path)


def test_a_tiff_with_a_palette_holds_ids(tmp_path: Path):
    image = Image.fromarray(pixels(20, 30))
    image.putpalette([200] * 768)
    for compression in (None, "tiff_deflate"):
        image.save(tmp_path / "a.tif", compression=compression)
        check_equal(tmp_path / "a.tif", ID_MODES)


def test_a_tile_that_was_never_written_is_read_as_it_is_decoded_whole(tmp_path: Path):
    path = tmp_path / "sparse.tif"
    tiles = (pixels(64, 64), None, None, pixels(64, 64))
    tifffile.imwrite(path, iter(tiles), shape=(128, 128), dtype="uint8", tile=(64, 64), compression="zlib")
    check_equal(path)


@pytest.mark.parametrize("turned", [False, True])
def test_a_tiff_that_is_turned_or_packed_is_decoded_whole(tmp_path: Path, turned: bool):
    picture = Image.fromarray(pixels(40, 60, 3))
    if turned:
        picture.save(tmp_path / "a.tif", tiffinfo={274: 6})
    else:
        picture.convert("P").save(tmp_path / "a.tif")
    check_equal(tmp_path / "a.tif", PHOTO_MODES)
    with open_raster(tmp_path / "a.tif", PHOTO_MODES) as raster:
        assert raster.in_memory
        assert raster.shape == ((60, 40, 3) if turned else (40, 60, 3))


def test_of_a_pyramid_the_picture_itself_is_read(tmp_path: Path):
    path, whole = tmp_path / "a.tif", pixels(100, 80, 3)
    with tifffile.TiffWriter(path) as file:
        file.write(whole, photometric="rgb", tile=(32, 32), subifds=1)
        file.write(whole[::2, ::2], photometric="rgb", tile=(32, 32), subfiletype=1)
    check_equal(path)
    with open_raster(path, IMAGE_MODES) as raster:
        assert raster.shape == (100, 80, 3)


@pytest.mark.parametrize("array", [pixels(200, 90), pixels(200, 90, 3), pixels(200, 90, 7, dtype="float32")])
def test_npy_is_read_as_it_is_decoded_whole(tmp_path: Path, array: np.ndarray):
    path = tmp_path / "a.npy"
    for stored in (array, np.asfortranarray(array), array.astype(array.dtype.newbyteorder(">"))):
        np.save(path, stored)
        check_equal(path)
    with open_raster(path, IMAGE_MODES) as raster:
        assert not raster.in_memory


@pytest.mark.parametrize("suffix", [".bmp", ".webp"])
def test_what_cannot_be_read_by_rows_is_decoded_whole(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels(60, 40, 3)).save(path)
    check_equal(path)
    with open_raster(path, IMAGE_MODES) as raster:
        assert raster.in_memory


@pytest.mark.parametrize("options", [{"tile": (32, 32)}, {"rowsperstrip": 10}, {"rowsperstrip": 100}])
@pytest.mark.parametrize("overlap", [0, 5])
def test_every_tile_is_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object], overlap: int
):
    path, decoded = tmp_path / "a.tif", Counter[int]()
    tifffile.imwrite(path, pixels(200, 90), compression="zlib", **options)
    with tifffile.TiffFile(path) as file:
        tiles = {offset: number for number, offset in enumerate(file.pages[0].dataoffsets)}
    read_segments = tifffile.FileHandle.read_segments

    def counting(self, offsets, counts):
        decoded.update(tiles[offset] for offset in offsets)
        return read_segments(self, offsets, counts)

    monkeypatch.setattr(tifffile.FileHandle, "read_segments", counting)
    with open_raster(path, IMAGE_MODES) as raster:
        in_bands(raster, 23, overlap)
    assert decoded == dict.fromkeys(tiles.values(), 1)


def test_rows_cannot_be_changed_by_those_who_read_them(tmp_path: Path):
    encode(tmp_path / "a.tif", pixels(20, 10, 3))
    with open_raster(tmp_path / "a.tif", IMAGE_MODES) as raster, pytest.raises(ValueError, match="read-only"):
        raster.rows(0, 5)[0] = 1


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (3, 3), (5, 4), (0, 21)])
def test_rows_that_are_not_there_cannot_be_asked_for(tmp_path: Path, start: int, stop: int):
    encode(tmp_path / "a.tif", pixels(20, 10, 3))
    with open_raster(tmp_path / "a.tif", IMAGE_MODES) as raster, pytest.raises(ValueError, match="it has 20"):
        raster.rows(start, stop)


def test_a_file_s_beginning_says_its_size(tmp_path: Path):
    for name in ("a.png", "a.jpg", "a.tif", "a.bmp"):
        Image.fromarray(pixels(20, 10, 3)).save(tmp_path / name)
        assert stored_size(tmp_path / name) == (None if name == "a.bmp" else (20, 10))
    np.save(tmp_path / "a.npy", pixels(20, 10))
    assert stored_size(tmp_path / "a.npy") == (20, 10)
    for name, content, message in (("b.tif", b"II", "cannot be read"), ("b.png", b"", "is empty")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=rf"{name}: {message}"):
            stored_size(tmp_path / name)
