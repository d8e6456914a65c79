import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageOps

from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES, decode
from pixelwise.encoding import encode, encode_palette, to_bytes
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
    encode_palette(tmp_path / "a.png", ids, np.full((256, 3), 200, np.uint8))
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


def test_flat_pictures_take_little_room() -> None:
    flat = np.zeros((512, 512, 3), np.uint8)
    flat[100:300, 50:400] = (9, 200, 30)
    assert len(to_bytes(Path("a.png"), flat)) < flat.size / 100
