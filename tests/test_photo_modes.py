"""What only photos may be: of a palette, of bits, transparent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pixelwise.codecs import IMAGE_MODES, PHOTO_MODES, decode
from pixelwise.errors import InputError

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".tif"])
def test_a_palette_says_which_colours_a_photo_has(tmp_path: Path, suffix: str):
    ids, palette = RANDOM.integers(0, 256, (5, 7), np.uint8), RANDOM.integers(0, 256, (256, 3), np.uint8)
    image = Image.fromarray(ids)
    image.putpalette(palette.tobytes())
    image.save(tmp_path / f"a{suffix}", optimize=False)
    np.testing.assert_array_equal(decode(tmp_path / f"a{suffix}", PHOTO_MODES), palette[ids])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_a_bit_says_black_or_white(tmp_path: Path, suffix: str):
    grey = 255 * RANDOM.integers(0, 2, (5, 11), np.uint8)
    Image.fromarray(grey).convert("1").save(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(decode(tmp_path / f"a{suffix}", PHOTO_MODES), grey)


def test_white_may_be_stored_as_0(tmp_path: Path):
    grey = RANDOM.integers(0, 256, (5, 7), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="miniswhite")
    np.testing.assert_array_equal(decode(tmp_path / "a.tif", PHOTO_MODES), 255 - grey)
    with pytest.raises(InputError, match="MINISWHITE"):
        decode(tmp_path / "a.tif", IMAGE_MODES)


def test_transparency_of_a_palette_becomes_alpha(tmp_path: Path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([9, 8, 7, 6, 5, 4])
    image.save(tmp_path / "a.png", transparency=1)
    assert decode(tmp_path / "a.png", PHOTO_MODES).tolist() == [[[9, 8, 7, 255], [6, 5, 4, 0]]]


def test_a_cmyk_tiff_is_refused_as_a_cmyk_jpeg_is(tmp_path: Path):
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a\.tif: is a CMYK image; convert it to RGB with its colour profile"):
        decode(tmp_path / "a.tif", PHOTO_MODES)
