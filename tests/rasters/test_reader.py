from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES, decode
from pixelwise.encoding import encode
from pixelwise.errors import InputError
from pixelwise.rasters import Raster, open_raster, stored_size, stream

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
