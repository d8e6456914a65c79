"""What a photo's file says beside its pixels goes from any format that holds it to any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from pixelwise.codecs import IMAGE_MODES, decode, decode_with_metadata
from pixelwise.encoding import encode
from pixelwise.metadata import NO_METADATA, Metadata
from pixelwise.rasters import write_pyramid

PROFILE = b"a colour profile " * 40
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" dc:creator="me"/></x:xmpmeta>'


def camera_data(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Canon"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = 0.01
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 8.0, 15.0)
    return exif


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """As a camera that was held upright stores it: 6 x 4 pixels that lie on their side."""
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path, exif=camera_data(), icc_profile=PROFILE)
    image = Image.open(path)
    image.save(tmp_path / "photo.jpg", exif=camera_data(), icc_profile=PROFILE, xmp=XMP)
    return tmp_path / "photo.jpg"


def check_camera_data(exif: Image.Exif) -> None:
    assert exif[ExifTags.Base.Make] == "Canon"
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert float(exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime]) == pytest.approx(0.01)
    assert [float(part) for part in exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude]] == [48, 8, 15]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_all_goes_from_a_jpeg_to_any_other_file(photo: Path, suffix: str) -> None:
    array, metadata = decode_with_metadata(photo, IMAGE_MODES)
    assert array.shape == (6, 4, 3)
    assert metadata.lost_in(suffix) == []
    copy = photo.with_name(f"copy{suffix}")
    encode(copy, array, metadata)
    with Image.open(copy) as image:
        assert image.size == (4, 6)
        assert image.info["icc_profile"] == PROFILE
        check_camera_data(image.getexif())
    again, found = decode_with_metadata(copy, IMAGE_MODES)
    assert again.shape == array.shape
    assert found.xmp == XMP.replace(b'"6"', b'"1"')
    assert (found.icc, found.unread) == (PROFILE, ())


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_tiff_hands_on_what_it_was_given(tmp_path: Path, photo: Path, dtype: str) -> None:
    metadata = decode_with_metadata(photo, IMAGE_MODES)[1]
    encode(tmp_path / "a.tif", np.ones((5, 7, 3), dtype), metadata)
    found = decode_with_metadata(tmp_path / "a.tif", IMAGE_MODES)[1]
    encode(tmp_path / "b.png", np.ones((5, 7, 3), np.uint8), found)
    with Image.open(tmp_path / "b.png") as image:
        check_camera_data(image.getexif())
        assert image.info["icc_profile"] == PROFILE


def test_a_pyramid_hands_on_what_it_was_given(tmp_path: Path, photo: Path) -> None:
    metadata = decode_with_metadata(photo, IMAGE_MODES)[1]
    with write_pyramid(tmp_path / "a.tif", (50, 70), 3, "uint8", metadata, tile=16) as push:
        push(np.ones((50, 70, 3), np.uint8))
    with Image.open(tmp_path / "a.tif") as image:
        check_camera_data(image.getexif())
    found = decode_with_metadata(tmp_path / "a.tif", IMAGE_MODES)[1]
    encode(tmp_path / "b.png", np.ones((5, 7, 3), np.uint8), found)
    with Image.open(tmp_path / "b.png") as image:
        check_camera_data(image.getexif())
        assert (image.info["icc_profile"], found.xmp) == (PROFILE, metadata.xmp)


def test_exif_data_stay_byte_for_byte_but_for_orientation_and_thumbnail(tmp_path: Path) -> None:
    exif = camera_data(orientation=8).tobytes()
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=exif)
    found = decode_with_metadata(tmp_path / "a.jpg", IMAGE_MODES)[1].exif
    changed = [place for place, (new, old) in enumerate(zip(found, exif[6:], strict=True)) if new != old]
    assert [(exif[6 + place], found[place]) for place in changed] == [(8, 1)]


def test_names_in_any_alphabet_survive_a_tiff(tmp_path: Path) -> None:
    artist = "Dürer, 北斎".encode()
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4), np.uint8), extratags=[(315, 2, 0, artist, True)])
    metadata = decode_with_metadata(tmp_path / "a.tif", IMAGE_MODES)[1]
    encode(tmp_path / "b.tif", np.zeros((4, 4), np.uint8), metadata)
    with Image.open(tmp_path / "b.tif") as image:
        assert image.getexif()[ExifTags.Base.Artist].encode("latin-1") == artist


def test_what_a_program_wrote_of_its_file_is_not_told_of_another(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 6), np.uint8))
    metadata = decode_with_metadata(tmp_path / "a.tif", IMAGE_MODES)[1]
    encode(tmp_path / "b.tif", np.zeros((2, 3), np.uint8), metadata)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages.first.software == "tifffile.py"
        assert file.pages.first.description == ""


def test_what_a_format_does_not_hold_is_named() -> None:
    metadata = Metadata(b"icc", b"exif", bytes(70_000), ("IPTC data",))
    assert metadata.lost_in(".png") == ["IPTC data"]
    assert metadata.lost_in(".jpg") == ["XMP data", "IPTC data"]
    assert metadata.lost_in(".npy") == ["colour profile", "EXIF data", "XMP data", "IPTC data"]
    assert NO_METADATA.lost_in(".npy") == []


@pytest.mark.parametrize("kept", [9, 20, 50])
def test_damaged_exif_data_cost_no_photo(tmp_path: Path, kept: int) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=camera_data(orientation=1).tobytes()[: 6 + kept])
    array, metadata = decode_with_metadata(tmp_path / "a.jpg", IMAGE_MODES)
    assert array.shape == (4, 4, 3)
    encode(tmp_path / "b.tif", array, metadata)
    assert decode(tmp_path / "b.tif", IMAGE_MODES).shape == (4, 4, 3)
