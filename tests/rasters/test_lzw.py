"""TIFF by LZW, whose decoder not every machine has: by rows through libvips."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from banded import pixels
from PIL import Image

from pixelwise.codecs import IMAGE_MODES
from pixelwise.errors import InputError
from pixelwise.rasters import open_raster, stream


@pytest.fixture
def without_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tifffile.TIFF.__dict__, "DECOMPRESSORS", {1: None})


@pytest.mark.usefixtures("without_codecs")
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("tile", [False, True])
def test_libvips_decompresses_lzw_by_rows(tmp_path: Path, channels: int, dtype: str, tile: bool):
    pyvips = pytest.importorskip("pyvips")
    array = pixels(150, 60, channels, dtype=dtype)
    pyvips.Image.new_from_array(array).tiffsave(str(tmp_path / "a.tif"), compression="lzw", tile=tile, tile_height=32)
    with open_raster(tmp_path / "a.tif", IMAGE_MODES) as raster:
        assert not raster.in_memory
        rows = np.concatenate([raster.rows(top, min(top + 40, 150)) for top in range(0, 150, 40)])
        np.testing.assert_array_equal(rows.reshape(array.shape), array)
        np.testing.assert_array_equal(raster.rows(3, 5).reshape(2, 60, channels), array[3:5])


@pytest.mark.usefixtures("without_codecs")
def test_damaged_lzw_is_found(tmp_path: Path):
    pyvips = pytest.importorskip("pyvips")
    path = tmp_path / "a.tif"
    pyvips.Image.new_from_array(pixels(300, 200, 3)).tiffsave(str(path), compression="lzw")
    content = bytearray(path.read_bytes())
    content[100_000:100_500] = bytes(500)
    path.write_bytes(content)
    damaged = pytest.raises(InputError, match=r"a\.tif: rows 0 to 299 of 300 cannot be read, it may be damaged")
    with open_raster(path, IMAGE_MODES) as raster, damaged:
        raster.rows(0, 300)


@pytest.mark.usefixtures("without_codecs")
def test_lzw_that_ends_early_is_found_when_it_is_opened(tmp_path: Path):
    pyvips = pytest.importorskip("pyvips")
    path = tmp_path / "a.tif"
    pyvips.Image.new_from_array(pixels(300, 200, 3)).tiffsave(str(path), compression="lzw", tile=True, tile_height=64)
    with tifffile.TiffFile(path, mode="r+b") as file:
        places = list(file.pages.first.dataoffsets)
        file.pages.first.tags["TileOffsets"].overwrite([*places[:-1], path.stat().st_size])
    early = pytest.raises(InputError, match=r"a\.tif: ends early: 256 of its 300 rows are there, 44 are missing")
    with early, open_raster(path, IMAGE_MODES):
        pass


@pytest.mark.usefixtures("without_codecs")
def test_lzw_in_a_page_for_each_channel_is_refused(tmp_path: Path):
    first, *others = (Image.fromarray(plane) for plane in pixels(3, 90, 70))
    shape = {270: '{"shape": [3, 90, 70], "axes": "CYX"}'}
    first.save(tmp_path / "a.tif", compression="tiff_lzw", save_all=True, append_images=others, tiffinfo=shape)
    refused = pytest.raises(InputError, match=r"a\.tif: .* LZW, .* imagecodecs")
    with refused, open_raster(tmp_path / "a.tif", IMAGE_MODES):
        pass


@pytest.mark.usefixtures("without_codecs")
def test_without_libvips_lzw_is_decoded_whole_where_that_keeps_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "_libvips", lambda: None)
    array = pixels(20, 10, 3)
    Image.fromarray(array).save(tmp_path / "a.tif", compression="tiff_lzw")
    with open_raster(tmp_path / "a.tif", IMAGE_MODES) as raster:
        assert raster.in_memory
        np.testing.assert_array_equal(raster.rows(0, 20), array)
    Image.fromarray(pixels(20, 10, dtype="uint16")).save(tmp_path / "deep.tif", compression="tiff_lzw")
    refused = pytest.raises(InputError, match=r"deep\.tif: .* LZW, .* imagecodecs")
    with refused, open_raster(tmp_path / "deep.tif", IMAGE_MODES):
        pass
