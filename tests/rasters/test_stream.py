import importlib.util
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES, decode, decode_with_metadata
from pixelwise.encoding import encode, palette_to_bytes
from pixelwise.errors import InputError
from pixelwise.rasters import open_raster, stream

RANDOM = np.random.default_rng(0)
SHAPES = {"L": (150, 97), "LA": (150, 97, 2), "RGB": (150, 97, 3), "RGBA": (150, 97, 4)}

needs_libvips = pytest.mark.skipif(importlib.util.find_spec("pyvips") is None, reason="pyvips is not installed")


def pixels(*shape: int, limit: int = 256) -> np.ndarray:
    return RANDOM.integers(0, limit, shape, np.uint8)


def smooth(*shape: int) -> np.ndarray:
    return np.clip(np.cumsum(RANDOM.normal(0, 8, shape), axis=1) + 128, 0, 255).astype(np.uint8)


def check_equal(path: Path, modes: dict[str, str], in_memory: bool = False) -> None:
    expected = decode(path, modes)
    height = len(expected)
    with open_raster(path, modes) as raster:
        assert raster.in_memory == in_memory
        assert (raster.shape, raster.dtype) == (expected.shape, expected.dtype)
        for step, overlap in ((7, 0), (40, 3), (1000, 0)):
            for top in range(0, height, step):
                start, stop = max(top - overlap, 0), min(top + step + overlap, height)
                np.testing.assert_array_equal(raster.rows(start, stop), expected[start:stop])


def insert_chunk(path: Path, before: bytes, kind: bytes, content: bytes) -> None:
    """A chunk into a PNG file, ahead of the first of another kind."""
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    stored = path.read_bytes()
    place = stored.index(before) - 4
    path.write_bytes(stored[:place] + chunk + stored[place:])


@needs_libvips
@pytest.mark.parametrize("mode", SHAPES)
def test_png_is_read_as_it_is_decoded_whole(tmp_path: Path, mode: str):
    path = tmp_path / "a.png"
    Image.fromarray(pixels(*SHAPES[mode])).save(path)
    check_equal(path, IMAGE_MODES)


@needs_libvips
@pytest.mark.parametrize("modes", [IMAGE_MODES, ID_MODES])
def test_sixteen_bit_grey_is_read_as_it_is_decoded_whole(tmp_path: Path, modes: dict[str, str]):
    path = tmp_path / "a.png"
    Image.fromarray(RANDOM.integers(0, 65536, (150, 97), np.uint16)).save(path)
    check_equal(path, modes)


@needs_libvips
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bit_colours_are_read_as_they_are_decoded_whole(tmp_path: Path, channels: int):
    path = tmp_path / "a.png"
    encode(path, RANDOM.integers(0, 65536, (150, 97, channels), np.uint16))
    check_equal(path, IMAGE_MODES)


@needs_libvips
@pytest.mark.parametrize("mode", ["P", "1"])
def test_a_packed_photo_is_decoded_whole(tmp_path: Path, mode: str):
    path = tmp_path / "a.png"
    Image.fromarray(pixels(150, 97, 3)).convert(mode).save(path)
    check_equal(path, PHOTO_MODES, in_memory=True)


@needs_libvips
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_what_the_file_says_beside_its_pixels(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    Image.fromarray(pixels(16, 16, 3)).save(path, exif=exif, icc_profile=b"profile")
    with open_raster(path, IMAGE_MODES) as raster:
        assert raster.metadata == decode_with_metadata(path, IMAGE_MODES)[1]
        assert raster.metadata.icc == b"profile"


@needs_libvips
@pytest.mark.parametrize(("bits", "num_ids"), [(8, 256), (8, 35), (4, 16), (2, 4), (1, 2)])
@pytest.mark.parametrize("transparent", [False, True])
def test_palette_ids_come_back_not_their_colours(tmp_path: Path, bits: int, num_ids: int, transparent: bool):
    path, ids = tmp_path / "a.png", pixels(150, 97, limit=num_ids)
    image = Image.fromarray(ids)
    image.putpalette(bytes(3 * num_ids))
    image.save(path, bits=bits, **({"transparency": 1} if transparent else {}))
    check_equal(path, ID_MODES)
    np.testing.assert_array_equal(decode(path, ID_MODES), ids)


@needs_libvips
def test_low_bit_grey_fills_the_range_as_it_does_whole(tmp_path: Path):
    path = tmp_path / "a.png"
    Image.fromarray(pixels(150, 97, limit=16)).save(path)
    content = path.read_bytes()
    header = bytearray(content[12:29])
    header[4:8], header[12] = struct.pack(">I", 97 * 2), 4  # the same bytes, as twice as many pixels of 4 bits
    path.write_bytes(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:])
    assert set(np.unique(decode(path, IMAGE_MODES))) == set(range(0, 256, 17))
    check_equal(path, IMAGE_MODES)


@needs_libvips
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_transparent_colours_and_profiles_change_nothing(tmp_path: Path, mode: str):
    path = tmp_path / "a.png"
    colour = 7 if mode == "L" else (1, 2, 3)
    Image.fromarray(pixels(*SHAPES[mode])).save(path, transparency=colour, icc_profile=b"no profile", gamma=0.3)
    insert_chunk(path, b"IDAT", b"gAMA", struct.pack(">I", 30_000))
    check_equal(path, IMAGE_MODES)


@needs_libvips
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"progressive": True}])
def test_jpeg_is_read_as_it_is_decoded_whole(tmp_path: Path, mode: str, options: dict[str, object]):
    path = tmp_path / "a.jpg"
    Image.fromarray(smooth(*SHAPES[mode])).save(path, quality=85, **options)
    check_equal(path, IMAGE_MODES)


@needs_libvips
def test_a_jpeg_of_another_name_is_read(tmp_path: Path):
    Image.fromarray(smooth(150, 97, 3)).save(tmp_path / "a.png", format="JPEG")
    check_equal(tmp_path / "a.png", IMAGE_MODES)
    with pytest.raises(InputError, match="is JPEG inside"), open_raster(tmp_path / "a.png", ID_MODES):
        pass


def test_what_lies_on_its_side_is_decoded_whole(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.fromarray(smooth(60, 40, 3))
    for name in ("a.jpg", "a.png"):
        picture.save(tmp_path / name, exif=exif)
        check_equal(tmp_path / name, IMAGE_MODES, in_memory=True)
    picture.save(tmp_path / "late.png")
    insert_chunk(tmp_path / "late.png", b"IEND", b"eXIf", exif.tobytes()[6:])
    assert decode(tmp_path / "late.png", IMAGE_MODES).shape == (40, 60, 3)
    check_equal(tmp_path / "late.png", IMAGE_MODES, in_memory=True)
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    picture.save(tmp_path / "described.png", pnginfo=text)
    check_equal(tmp_path / "described.png", IMAGE_MODES, in_memory=True)


def test_interlaced_pictures_are_decoded_whole(tmp_path: Path):
    path = tmp_path / "a.png"
    # 2 by 2 pixels in the three passes that they have: top left, top right, the row below.
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(path)
    content = path.read_bytes()
    header, body = content[12:28] + b"\1", b"IDAT" + zlib.compress(b"\0\5" + b"\0\6" + b"\0\7\x08")
    chunks = (header, body, b"IEND")
    path.write_bytes(
        content[:8] + b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    )
    assert decode(path, IMAGE_MODES).tolist() == [[5, 6], [7, 8]]
    with open_raster(path, IMAGE_MODES) as raster:
        assert raster.in_memory


def test_without_libvips_everything_is_decoded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "_libvips", lambda: None)
    Image.fromarray(pixels(60, 40, 3)).save(tmp_path / "a.png")
    Image.fromarray(smooth(60, 40, 3)).save(tmp_path / "a.jpg")
    ids = tmp_path / "ids.png"
    ids.write_bytes(palette_to_bytes(pixels(60, 40, limit=35), np.zeros((256, 3), np.uint8)))
    check_equal(tmp_path / "a.png", IMAGE_MODES, in_memory=True)
    check_equal(tmp_path / "a.jpg", IMAGE_MODES, in_memory=True)
    check_equal(tmp_path / "ids.png", ID_MODES, in_memory=True)


@needs_libvips
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_earlier_rows_can_be_asked_for_again(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(smooth(3000, 300, 3)).save(path)
    expected = decode(path, IMAGE_MODES)
    with open_raster(path, IMAGE_MODES) as raster:
        for start in (2900, 0, 1500, 10, 1000):
            np.testing.assert_array_equal(raster.rows(start, start + 20), expected[start : start + 20])


@needs_libvips
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    for _ in range(2):
        Image.fromarray(smooth(100, 97, 3)).save(path)
        check_equal(path, IMAGE_MODES)


@needs_libvips
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_that_ends_early_is_named_with_the_rows_that_were_wanted(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels(1000, 300, 3)).save(path)
    expected = decode(path, IMAGE_MODES)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with open_raster(path, IMAGE_MODES) as raster:
        np.testing.assert_array_equal(raster.rows(0, 100), expected[:100])
        with pytest.raises(InputError, match=rf"a\{suffix}: rows 900 to 999 of 1000 cannot be read"):
            raster.rows(900, 1000)


@needs_libvips
def test_pillows_limit_of_pixels_does_not_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    array = smooth(60, 40, 3)
    Image.fromarray(array).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with open_raster(tmp_path / "a.png", IMAGE_MODES) as raster:
        np.testing.assert_array_equal(raster.rows(0, 60), array)


@needs_libvips
def test_what_the_codecs_refuse_is_refused(tmp_path: Path):
    Image.new("1", (4, 4)).save(tmp_path / "bits.png")
    Image.new("CMYK", (4, 4)).save(tmp_path / "print.jpg")
    Image.new("P", (4, 4)).save(tmp_path / "palette.png")
    frames = [Image.fromarray(pixels(8, 8, 3)) for _ in range(3)]
    frames[0].save(tmp_path / "frames.png", save_all=True, append_images=frames[1:])
    messages = {"bits.png": "1-bit", "print.jpg": "CMYK", "palette.png": "palette image", "frames.png": "animation"}
    for name, message in messages.items():
        with pytest.raises(InputError, match=f"{name}: is .*{message}"), open_raster(tmp_path / name, IMAGE_MODES):
            pass
