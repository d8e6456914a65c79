"""A restored photo stays the photo that it was: its depth, its channels and all that its file says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageOps
from tiny_model import LABELS, PHOTO_MODEL, save_tiny_denoiser, save_tiny_model

from pixelwise import images
from pixelwise.checkpoint import Manifest, load_checkpoint
from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES, decode, decode_with_metadata
from pixelwise.condition import ConditionSpec
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.metrics.noise import noise_level
from pixelwise.models import tiled
from pixelwise.rasters import pyramid
from pixelwise.translate import Translator, large, load
from pixelwise.translate.job_plan import plan
from pixelwise.translate.jobs import Outcome, run
from pixelwise.translate.large import translate_large

Command = Callable[..., int]

GREY_NOTE = "grey model on a colour photo: each channel by itself"
COLOUR_NOTE = "colour model on a grey photo: as 3 equal channels, the result is their mean"


@pytest.fixture
def grey(tmp_path: Path) -> Translator:
    return load(save_tiny_denoiser(tmp_path / "grey.safetensors", 1), "cpu")


@pytest.fixture
def colour(tmp_path: Path) -> Translator:
    return load(save_tiny_denoiser(tmp_path / "colour.safetensors", 3), "cpu")


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def restore(translator: Translator, source: Path, suffix: str = ".png") -> tuple[Path, Outcome]:
    (outcome,) = run(translator, plan([str(source)], source.parent / "out", suffix), overwrite=True)
    return outcome.job.destination, outcome


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_model_that_changes_nothing_gives_every_photo_back(
    grey: Translator, colour: Translator, tmp_path: Path, dtype: str, channels: int, suffix: str
) -> None:
    photo = pixels(20, 30, channels, dtype=dtype)
    images.write(tmp_path / f"photo{suffix}", photo)
    for translator in (grey, colour):
        path, outcome = restore(translator, tmp_path / f"photo{suffix}", suffix)
        assert outcome.error is None
        found = images.read(path)
        assert found.dtype == photo.dtype
        np.testing.assert_array_equal(found, photo)


def test_sixteen_bits_are_read_as_finely_as_they_are(tmp_path: Path) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 1, finds_noise=True), "cpu")
    photo = pixels(20, 30, 1, dtype="uint16")
    expected = translator.generator(translator.condition(photo)).image.detach()
    found = translator(photo)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, images.from_tensor(expected[0], ImageSpec(1, "uint16")))
    assert np.abs(found.astype(int) - photo).max() > 100


@pytest.mark.filterwarnings("ignore:grey model")
def test_each_channel_is_restored_as_a_grey_photo(tmp_path: Path) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 1, finds_noise=True), "cpu")
    photo = pixels(20, 30, 3)
    found = translator(photo)
    for channel in range(3):
        alone = translator(photo[..., channel : channel + 1])[..., 0]
        assert np.abs(found[..., channel].astype(int) - alone).max() <= 1
    tensor = torch.from_numpy(photo).movedim(2, 0) / 127.5 - 1
    for batch in (tensor, torch.stack([tensor, tensor.flip(2)])):
        assert translator(batch).shape == batch.shape
    torch.testing.assert_close(translator(torch.stack([tensor.flip(2), tensor]))[1], translator(tensor))


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_of_a_tensor_is_refused_by_name(grey: Translator, colour: Translator, channels: int) -> None:
    for translator in (grey, colour):
        with pytest.raises(InputError, match=f"image: has {channels} channels, but a tensor has no alpha"):
            translator(torch.zeros(channels, 8, 8))


@pytest.mark.filterwarnings("ignore:colour model")
def test_a_grey_photo_stays_grey(tmp_path: Path) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 3, finds_noise=True), "cpu")
    photo = pixels(20, 30, 1)
    image = translator.translate(translator.condition(np.repeat(photo, 3, axis=2)))
    found = translator(photo)
    assert found.shape == photo.shape
    np.testing.assert_array_equal(found, images.from_tensor(image.mean(1), ImageSpec(1)))
    assert translator(Image.fromarray(photo[..., 0])).mode == "L"


def test_what_is_done_to_a_photo_is_told_once(
    grey: Translator, colour: Translator, tmp_path: Path, pixelwise_command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png"):
        images.write(tmp_path / "in" / name, pixels(8, 8, 3))
    command = ("translate", tmp_path / "in", "--model", tmp_path / "grey.safetensors", "--out", tmp_path / "out")
    assert pixelwise_command(*command) == 0
    assert capsys.readouterr().err.splitlines() == [f"note: {tmp_path}/in/a.png and 1 more: {GREY_NOTE}"]
    with pytest.warns(UserWarning, match=GREY_NOTE):
        grey(pixels(8, 8, 3))
    with pytest.warns(UserWarning, match=COLOUR_NOTE):
        colour(pixels(8, 8, 1))


def test_photos_of_one_size_go_together_whatever_their_channels(grey: Translator, tmp_path: Path) -> None:
    for index, channels in enumerate((1, 3, 4, 1)):
        images.write(tmp_path / "in" / f"{index}.png", pixels(20, 30, channels))
    outcomes = list(run(grey, plan([str(tmp_path / "in")], tmp_path / "out"), batch_size=4))
    for outcome in outcomes:
        np.testing.assert_array_equal(images.read(outcome.job.destination), images.read(outcome.job.source))


@pytest.fixture
def described(tmp_path: Path) -> Path:
    """A JPEG from a camera that was held upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Canon"
    Image.fromarray(pixels(20, 30, 3)).save(tmp_path / "photo.jpg", exif=exif, icc_profile=b"profile")
    return tmp_path / "photo.jpg"


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


@pytest.fixture
def scaling(tmp_path: Path) -> Translator:
    """Restores colour photos at any scale."""
    return load(save_tiny_model(tmp_path / "scaling.safetensors", PHOTO_MODEL, restores=True), "cpu")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_alpha_of_a_part_or_at_another_scale(scaling: Translator, dtype: str) -> None:
    photo = pixels(20, 30, 4, dtype=dtype)
    np.testing.assert_array_equal(scaling(photo, region=(3, 4, 5, 6))[..., 3], photo[3:8, 4:10, 3])
    photo[..., 3] = np.arange(30) * 8
    double = scaling(photo, scale=2)
    assert double.shape == (40, 60, 4)
    assert np.abs(double[..., 3].astype(float) - (np.arange(60) * 4 - 2).clip(0, 232)).max() <= 1
    np.testing.assert_array_equal(scaling(photo, region=(9, 11, 8, 30), scale=2), double[9:17, 11:41])
    third = scaling(photo, scale=1 / 3)
    np.testing.assert_array_equal(third[..., 3], np.tile(np.arange(10) * 24 + 8, (7, 1)))


def test_a_part_of_a_scale_that_no_memory_holds(scaling: Translator) -> None:
    photo = pixels(200, 300, 4)
    part = scaling(photo, region=(40_000, 60_000, 4, 5), scale=1000)
    np.testing.assert_allclose(part[..., 3], np.full((4, 5), photo[39:41, 59:61, 3].mean()), atol=1)


@pytest.mark.parametrize("mode", ["P", "1"])
def test_packed_photos_are_restored_as_what_they_stand_for(colour: Translator, tmp_path: Path, mode: str) -> None:
    photo = Image.fromarray(pixels(20, 30, 3)).convert(mode)
    photo.save(tmp_path / "photo.png")
    expected = decode(tmp_path / "photo.png", PHOTO_MODES)
    np.testing.assert_array_equal(decode(restore(colour, tmp_path / "photo.png")[0], PHOTO_MODES), expected)


def test_what_cannot_be_restored_is_named_and_the_rest_is_done(colour: Translator, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    images.write(folder / "good.png", pixels(8, 8, 3))
    Image.new("CMYK", (8, 8)).save(folder / "cmyk.jpg")
    frames = [Image.fromarray(pixels(8, 8)), Image.fromarray(255 - pixels(8, 8))]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    images.write(folder / "five.tif", pixels(8, 8, 5))
    outcomes = run(colour, plan([str(folder)], tmp_path / "out"))
    errors = {outcome.job.source.name: outcome.error for outcome in outcomes if outcome.error}
    assert sorted(errors) == ["cmyk.jpg", "five.tif", "moving.gif"]
    assert "is a CMYK image; convert it to RGB with its colour profile" in errors["cmyk.jpg"]
    assert "is an animation of 2 frames; save each as a file" in errors["moving.gif"]
    assert "is 8x8x5 uint8, expected 3 channels, or 1 of a grey photo" in errors["five.tif"]


def test_other_models_read_what_they_were_trained_on_and_nothing_else(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL), "cpu")
    for photo in (pixels(8, 8, 3, dtype="uint16"), pixels(8, 8, 1), pixels(8, 8, 4)):
        with pytest.raises(InputError, match="expected 3 channels of uint8"):
            translator(photo)


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
    assert capsys.readouterr().out == f"wrote {tmp_path}/rows.png: 20x30 pixels\n"
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


DEPTH = ImageSpec(1, "uint16", 10_000, unit="mm")


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


def test_values_that_count_something_are_not_scaled(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(save_tiny_denoiser(tmp_path / "model.safetensors", 1))
    manifest = Manifest(**{**vars(checkpoint.manifest), "image": DEPTH, "target": DEPTH})
    translator = Translator(type(checkpoint)(checkpoint.generator, manifest), "cpu")
    millimetres = pixels(8, 8, 1, dtype="uint16") % 10_000
    np.testing.assert_array_equal(translator(millimetres), millimetres)
    with pytest.raises(InputError, match="is 8x8x1 uint8, but values up to 10000 mm are uint16 and nothing else"):
        translator(pixels(8, 8, 1))


def noisy(sigma: float) -> np.ndarray:
    shades = 128 + 20 * np.sin(np.linspace(0, 9, 90))[:, None, None] * np.ones((1, 90, 1))
    return np.rint(shades + np.random.default_rng(0).normal(0, sigma, shades.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("trained", "sigma", "note"),
    [
        ((25.0, 25.0), 25, None),
        ((25.0, 25.0), 10, "noise of about {} grey levels, the model was trained for 25"),
        ((25.0, 25.0), 45, "noise of about {} grey levels, the model was trained for 25"),
        ((5.0, 20.0), 45, "noise of about {} grey levels, the model was trained for 5 to 20"),
        ((0.0, 55.0), 1, None),
        ((0.0, 55.0), 40, None),
        (None, 45, None),
    ],
)
def test_noise_beyond_what_a_model_was_trained_for_is_told(
    tmp_path: Path, trained: tuple[float, float] | None, sigma: float, note: str | None
) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 1, noise=trained), "cpu")
    assert translator.manifest.noise == trained
    images.write(tmp_path / "photo.png", noisy(sigma))
    path, outcome = restore(translator, tmp_path / "photo.png")
    assert path.is_file()
    level = noise_level(images.to_tensor(noisy(sigma), ImageSpec(1))[None])
    assert level == pytest.approx(sigma, abs=2)
    assert list(outcome.remarks) == ([] if note is None else [note.format(round(level))])


def test_a_manifest_cannot_restore_what_it_does_not_read() -> None:
    with pytest.raises(InputError, match="makes as many channels as it reads, not 1 of 3"):
        Manifest("dncnn", {}, ConditionSpec(image_channels=3), target=ImageSpec(1), restores=True)


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
    assert translate_large(translator, tmp_path / "a.tif", tmp_path / "large.tif", remark=told.append) == (100, 70)
    found, expected = images.read(tmp_path / "large.tif"), images.read(whole)
    assert found.dtype == expected.dtype
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert told == list(outcome.remarks)
    with tifffile.TiffFile(tmp_path / "large.tif") as file:
        assert file.pages.first.iccprofile == b"profile"
