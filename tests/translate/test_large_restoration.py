"""Large photos are restored by rows and by regions, as they would be whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image
from random_photos import pixels, restore
from tiny_model import LABELS, PHOTO_MODEL, save_tiny_denoiser, save_tiny_model

from pixelwise import images
from pixelwise.codecs import ID_MODES, IMAGE_MODES, decode, decode_with_metadata
from pixelwise.models import tiled
from pixelwise.rasters import pyramid
from pixelwise.translate import Translator, large, load
from pixelwise.translate.large import translate_large

Command = Callable[..., int]


def test_a_large_photo_becomes_a_png_by_rows(
    described: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pixelwise_command: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = save_tiny_denoiser(tmp_path / "model.safetensors", 3, finds_noise=True)
    command = ("translate", described, "--model", model, "--out")
    assert pixelwise_command(*command, tmp_path / "whole.png") == 0
    monkeypatch.setattr(large, "_LARGE", 599)
    monkeypatch.setattr(tiled, "TILE", 8)
    capsys.readouterr()
    assert pixelwise_command(*command, tmp_path / "rows.png") == 0
    assert capsys.readouterr().out.startswith(f"1 of 1 translated to {tmp_path}/rows.png: ")
    (whole, expected), (rows, found) = (
        decode_with_metadata(tmp_path / name, IMAGE_MODES) for name in ("whole.png", "rows.png")
    )
    assert np.abs(rows.astype(int) - whole).max() <= 1
    assert found == expected
    assert found.exif
    monkeypatch.setattr(large, "_LARGE", 600)
    assert pixelwise_command(*command, tmp_path / "small.png") == 0
    assert "1 of 1 translated" in capsys.readouterr().out


def test_a_pyramid_says_all_of_a_photo_but_a_deep_zoom_and_a_big_tiff(
    colour: Translator, described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    translate_large(colour, described, tmp_path / "a.tif", remark=told.append)
    assert told == []
    found, expected = (decode_with_metadata(path, IMAGE_MODES)[1] for path in (tmp_path / "a.tif", described))
    assert (found.icc, found.unread) == (expected.icc, ())
    with Image.open(tmp_path / "a.tif") as image:
        assert image.getexif()[ExifTags.Base.Make] == "Canon"
    translate_large(colour, described, tmp_path / "a.dzi", remark=told.append)
    monkeypatch.setattr(pyramid, "_CLASSIC_LIMIT", 0)
    translate_large(colour, described, tmp_path / "big.tif", remark=told.append)
    assert told == [".dzi does not keep: EXIF data", "a BigTIFF does not keep: EXIF data"]


@pytest.mark.parametrize(("channels", "dtype"), [(4, "uint8"), (3, "uint16")])
def test_a_deep_zoom_keeps_what_jpeg_would_not(colour: Translator, tmp_path: Path, channels: int, dtype: str) -> None:
    photo = pixels(20, 30, channels, dtype=dtype)
    images.write(tmp_path / "a.png", photo)
    told: list[str] = []
    translate_large(colour, tmp_path / "a.png", tmp_path / "a.dzi", remark=told.append)
    np.testing.assert_array_equal(images.read(tmp_path / "a_files" / "5" / "0_0.png"), photo)
    assert told == []


def test_a_large_label_map_is_made_as_a_whole(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pixelwise_command: Command
) -> None:
    monkeypatch.setattr(large, "_LARGE", 0)
    model = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=LABELS)
    assert pixelwise_command("translate", described, "--model", model, "--out", tmp_path / "out.png") == 0
    assert decode(tmp_path / "out.png", ID_MODES).shape == (30, 20)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_region_of_a_large_photo_is_all_that_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int, dtype: str
) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 1, finds_noise=True), "cpu")
    photo = pixels(100, 70, channels, dtype=dtype)
    np.save(tmp_path / "a.npy", photo)
    whole, _ = restore(translator, tmp_path / "a.npy", ".tif")
    monkeypatch.setattr(tiled, "TILE", 16)
    restored: list[int] = []
    restore_tile = tiled.Tiled._tile
    monkeypatch.setattr(
        tiled.Tiled,
        "_tile",
        lambda self, condition, tile: restored.append(tile.height * tile.width) or restore_tile(self, condition, tile),
    )
    translate_large(translator, tmp_path / "a.npy", tmp_path / "part.tif", region=(60, 20, 40, 25))
    assert sum(restored) == min(channels, 3) * 40 * 25
    found, expected = images.read(tmp_path / "part.tif"), images.read(whole)[60:, 20:45]
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_large_photo_is_streamed_as_it_is_restored_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int, dtype: str
) -> None:
    monkeypatch.setattr(tiled, "TILE", 16)
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 1, finds_noise=True), "cpu")
    photo = pixels(100, 70, channels, dtype=dtype)
    tifffile.imwrite(
        tmp_path / "a.tif",
        photo if channels > 1 else photo[..., 0],
        tile=(16, 16),
        photometric="minisblack",
        planarconfig="contig" if channels > 1 else None,
        iccprofile=b"profile",
    )
    whole, outcome = restore(translator, tmp_path / "a.tif", ".tif")
    told: list[str] = []
    assert translate_large(translator, tmp_path / "a.tif", tmp_path / "large.tif", remark=told.append)[0] == (100, 70)
    found, expected = images.read(tmp_path / "large.tif"), images.read(whole)
    assert found.dtype == expected.dtype
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert told == list(outcome.remarks)
    with tifffile.TiffFile(tmp_path / "large.tif") as file:
        assert file.pages.first.iccprofile == b"profile"
