"""What a photo's file says beside its pixels: kept for what is restored, left out of what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps
from random_photos import pixels, restore
from tiny_model import LABELS, PHOTO_MODEL, save_tiny_model

from pixelwise import images
from pixelwise.codecs import ID_MODES, IMAGE_MODES, decode
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.translate import Translator, load

Command = Callable[..., int]

DEPTH = ImageSpec(1, "uint16", 10_000, unit="mm")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_photo_stays_upright_and_described(colour: Translator, described: Path, suffix: str) -> None:
    path, outcome = restore(colour, described, suffix)
    assert outcome.remarks == ()
    with Image.open(path) as image:
        assert image.size == (20, 30)
        assert image.info["icc_profile"] == b"profile"
        exif = image.getexif()
        assert (exif.get(ExifTags.Base.Orientation, 1), exif[ExifTags.Base.Make]) == (1, "Canon")
    if suffix != ".jpg":
        np.testing.assert_array_equal(images.read(path), images.read(described))


def test_what_a_file_does_not_keep_is_told_in_a_line(colour: Translator, described: Path, tmp_path: Path) -> None:
    assert restore(colour, described, ".npy")[1].remarks == (".npy does not keep: colour profile, EXIF data",)
    images.write(tmp_path / "alpha.png", pixels(20, 30, 4))
    path, outcome = restore(colour, tmp_path / "alpha.png", ".jpg")
    assert outcome.remarks == (".jpg does not keep: alpha",)
    assert images.read(path).shape == (20, 30, 3)


def test_a_pil_image_keeps_its_profile(colour: Translator, described: Path, tmp_path: Path) -> None:
    with Image.open(described) as photo:
        restored = colour(photo)
    restored.save(tmp_path / "saved.jpg", exif=restored.info["exif"], icc_profile=restored.info["icc_profile"])
    with Image.open(tmp_path / "saved.jpg") as image:
        assert (image.size, image.info["icc_profile"]) == ((20, 30), b"profile")
        assert image.getexif()[ExifTags.Base.Orientation] == 1


@pytest.mark.parametrize(
    ("target", "suffix"),
    [(ImageSpec(), ".png"), (ImageSpec(), ".tif"), (DEPTH, ".png"), (DEPTH, ".tif"), (LABELS, ".png")],
)
def test_what_is_made_of_a_photo_stands_upright_and_says_nothing_of_the_photo(
    described: Path, tmp_path: Path, target: TargetSpec, suffix: str, pixelwise_command: Command
) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=target)
    out = tmp_path / f"out{suffix}"
    assert pixelwise_command("translate", described, "--model", model, "--out", out) == 0
    with Image.open(described) as photo:
        expected = np.asarray(load(model)(ImageOps.exif_transpose(photo)))
    with Image.open(out) as image:
        assert image.size == (20, 30)
        assert not {"icc_profile", "exif", "xmp"} & set(image.info)
        assert ExifTags.Base.Make not in image.getexif()
    np.testing.assert_allclose(
        decode(out, IMAGE_MODES if target is not LABELS else ID_MODES).astype(int), expected, atol=1
    )
