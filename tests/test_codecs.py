import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageOps

from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES, decode
from pixelwise.encoding import encode, palette_to_bytes
from pixelwise.errors import InputError

RANDOM = np.random.default_rng(0)


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    if dtype == "float32":
        return RANDOM.random(shape, np.float32)
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def png(path: Path, colour_type: int, depth: int, row: bytes) -> Path:
    """A PNG of 2 by 2 pixels in kinds that Pillow does not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 2, 2, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress((b"\0" + row) * 2)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_planes_first_tiff_is_turned(tmp_path: Path):
    array = pixels(6, 5, 7, dtype="uint16")
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", planarconfig="separate")
    np.testing.assert_array_equal(decode(tmp_path / "a.tif", IMAGE_MODES), np.moveaxis(array, 0, -1))


def test_foreign_byte_order_is_read(tmp_path: Path):
    array = pixels(5, 7, dtype="uint16")
    np.save(tmp_path / "a.npy", array.astype(">u2"))
    stored = decode(tmp_path / "a.npy", IMAGE_MODES)
    assert stored.dtype.name == "uint16"
    np.testing.assert_array_equal(stored, array)


def test_a_phones_second_picture_is_left_alone(tmp_path: Path):
    photo = Image.fromarray(pixels(16, 16, 3))
    photo.save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=[photo])
    assert decode(tmp_path / "phone.jpg", IMAGE_MODES).shape == (16, 16, 3)


def test_palette_ids_come_back_not_their_colours(tmp_path: Path):
    ids = pixels(5, 7)
    path = tmp_path / "a.png"
    path.write_bytes(palette_to_bytes(ids, np.full((256, 3), 200, np.uint8)))
    np.testing.assert_array_equal(decode(tmp_path / "a.png", ID_MODES), ids)
    with pytest.raises(InputError, match=r"a\.png: is a palette image; a label map is read as ids"):
        decode(tmp_path / "a.png", IMAGE_MODES)


def test_a_tiff_may_have_a_palette_too(tmp_path: Path):
    ids = pixels(5, 7)
    image = Image.fromarray(ids)
    image.putpalette([200] * 768)
    image.save(tmp_path / "a.tif")
    np.testing.assert_array_equal(decode(tmp_path / "a.tif", ID_MODES), ids)
    with pytest.raises(InputError, match=r"a\.tif: is a palette image; a label map is read as ids"):
        decode(tmp_path / "a.tif", IMAGE_MODES)


@pytest.mark.parametrize(("mode", "suffix", "message"), [("1", ".png", "1-bit"), ("CMYK", ".jpg", "CMYK")])
def test_kinds_that_would_change_are_refused(tmp_path: Path, mode: str, suffix: str, message: str):
    path = tmp_path / f"a{suffix}"
    Image.new(mode, (4, 4)).save(path)
    with pytest.raises(InputError, match=rf"a\{suffix}: is a {message} image; .*expected"):
        decode(path, IMAGE_MODES)


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bit_colour_png_is_not_halved(tmp_path: Path, colour_type: int, channels: int):
    path = png(tmp_path / "a.png", colour_type, depth=16, row=bytes(range(4 * channels)))
    row = [[0x0001 + 0x0202 * number for number in range(channels * x, channels * (x + 1))] for x in (0, 1)]
    assert decode(path, IMAGE_MODES).tolist() == [row, row]


def test_four_bit_grey_is_an_image_but_no_label_map(tmp_path: Path):
    path = png(tmp_path / "a.png", colour_type=0, depth=4, row=b"\x3f")
    assert decode(path, IMAGE_MODES).tolist() == [[51, 255], [51, 255]]
    with pytest.raises(InputError, match="4-bit grey, which scales ids"):
        decode(path, ID_MODES)


@pytest.mark.parametrize(("suffix", "modes"), [(".png", IMAGE_MODES), (".gif", PHOTO_MODES)])
def test_animations_are_refused(tmp_path: Path, suffix: str, modes: dict[str, str]):
    frames = [Image.fromarray(pixels(8, 8)) for _ in range(3)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=rf"a\{suffix}: is an animation of 3 frames; save each as a file"):
        decode(tmp_path / f"a{suffix}", modes)


def test_tiff_stacks_are_refused(tmp_path: Path):
    tifffile.imwrite(tmp_path / "stack.tif", pixels(2, 3, 5, 7), photometric="minisblack")
    with pytest.raises(InputError, match=r"stack\.tif: has axes"):
        decode(tmp_path / "stack.tif", IMAGE_MODES)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".npy"])
@pytest.mark.parametrize("kept", [0, 6, 0.6])
def test_damaged_files_are_named(tmp_path: Path, suffix: str, kept: float):
    path = tmp_path / f"photo{suffix}"
    encode(path, pixels(40, 40, 3))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])
    with pytest.raises(InputError, match=rf"photo\{suffix}: {'is empty' if kept == 0 else 'cannot be read'}"):
        decode(path, IMAGE_MODES)


def test_files_that_are_not_there_or_unknown_are_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"gone\.png: no such file"):
        decode(tmp_path / "gone.png", IMAGE_MODES)
    with pytest.raises(InputError, match=r"unknown suffix '\.xyz', expected one of \.png"):
        decode(tmp_path / "a.xyz", IMAGE_MODES)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        decode(tmp_path / "folder.png", IMAGE_MODES)


def test_pickles_are_never_opened(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.array([{"code": "runs"}]), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        decode(tmp_path / "a.npy", IMAGE_MODES)


def test_an_archive_named_npy_is_refused(tmp_path: Path):
    np.savez(tmp_path / "a.npz", a=pixels(4, 4))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(InputError, match=r"a\.npy: cannot be read"):
        decode(tmp_path / "a.npy", IMAGE_MODES)


def test_a_tiff_of_several_pictures_is_refused_but_for_thumbnails(tmp_path: Path):
    whole = pixels(32, 32, 3)
    for name, kind in (("pictures.tif", 0), ("thumbnail.tif", 1)):
        with tifffile.TiffWriter(tmp_path / name) as file:
            file.write(whole, photometric="rgb")
            file.write(whole[::2, ::2], photometric="rgb", subfiletype=kind)
    np.testing.assert_array_equal(decode(tmp_path / "thumbnail.tif", IMAGE_MODES), whole)
    with pytest.raises(InputError, match=r"pictures\.tif: holds 2 pictures"):
        decode(tmp_path / "pictures.tif", IMAGE_MODES)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_whatever_way_a_camera_was_held(tmp_path: Path, orientation: int):
    array = pixels(4, 6, 3)
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(array).save(tmp_path / "a.tif", tiffinfo={274: orientation})
    with Image.open(tmp_path / "a.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(decode(tmp_path / name, IMAGE_MODES), expected)


def test_ids_in_a_jpeg_of_another_name_are_refused(tmp_path: Path):
    Image.fromarray(pixels(8, 8)).save(tmp_path / "a.png", format="JPEG")
    assert decode(tmp_path / "a.png", IMAGE_MODES).shape == (8, 8)
    with pytest.raises(InputError, match=r"a\.png: is JPEG inside, which changes ids"):
        decode(tmp_path / "a.png", ID_MODES)


def test_a_picture_that_pillow_takes_for_a_bomb_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encode(tmp_path / "a.png", pixels(8, 8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 31)
    with pytest.raises(InputError, match=r"a\.png: has too many pixels for \.png; save it as TIFF"):
        decode(tmp_path / "a.png", IMAGE_MODES)


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3), (6, 4, 4)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_tiffs_that_pillow_alone_decompresses(tmp_path: Path, shape: tuple[int, ...], orientation: int) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for compression in ("tiff_lzw", "tiff_deflate"):
        photo = Image.fromarray(array)
        photo.getexif()[ExifTags.Base.Orientation] = orientation
        photo.save(tmp_path / f"{compression}.tif", compression=compression, exif=photo.getexif())
    found, expected = (decode(tmp_path / f"tiff_{name}.tif", IMAGE_MODES) for name in ("lzw", "deflate"))
    np.testing.assert_array_equal(found, expected)
    assert found.shape[:2] == ((6, 4) if orientation == 1 else (4, 6))


def test_a_deep_tiff_is_not_decompressed_with_fewer_bits(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((6, 4), np.uint16)).save(tmp_path / "a.tif", compression="tiff_lzw")
    with pytest.raises(InputError, match=r"a\.tif: is a TIFF compressed by LZW, .* imagecodecs"):
        decode(tmp_path / "a.tif", IMAGE_MODES)


def test_the_largest_level_of_a_pyramid_that_pillow_decompresses(tmp_path: Path) -> None:
    large, small = (np.random.default_rng(0).integers(0, 256, (side, side), np.uint8) for side in (64, 32))
    level = Image.fromarray(small)
    level.encoderinfo = {"tiffinfo": {254: 1}}  # a reduced picture
    Image.fromarray(large).save(tmp_path / "a.tif", compression="tiff_lzw", save_all=True, append_images=[level])
    np.testing.assert_array_equal(decode(tmp_path / "a.tif", IMAGE_MODES), large)


def test_ids_that_jpeg_has_changed_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.eye(64, dtype=np.uint8) * 3).save(tmp_path / "a.tif", compression="jpeg")
    with pytest.raises(InputError, match=r"a\.tif: .*JPEG"):
        decode(tmp_path / "a.tif", ID_MODES)
