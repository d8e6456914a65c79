"""A restored photo stays the photo that it was: its depth and its channels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from random_photos import pixels, restore
from tiny_model import PHOTO_MODEL, save_tiny_denoiser, save_tiny_model

from pixelwise import images
from pixelwise.checkpoint import Manifest, load_checkpoint
from pixelwise.codecs import PHOTO_MODES, decode
from pixelwise.condition import ConditionSpec
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.metrics.noise import noise_level
from pixelwise.translate import Translator, load
from pixelwise.translate.job_plan import plan
from pixelwise.translate.jobs import run

Command = Callable[..., int]

GREY_NOTE = "grey model on a colour photo: each channel by itself"
COLOUR_NOTE = "colour model on a grey photo: as 3 equal channels, the result is their mean"


@pytest.fixture
def grey(tmp_path: Path) -> Translator:
    return load(save_tiny_denoiser(tmp_path / "grey.safetensors", 1), "cpu")


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


def test_values_that_count_something_are_not_scaled(tmp_path: Path) -> None:
    depth = ImageSpec(1, "uint16", 10_000, unit="mm")
    checkpoint = load_checkpoint(save_tiny_denoiser(tmp_path / "model.safetensors", 1))
    manifest = Manifest(**{**vars(checkpoint.manifest), "image": depth, "target": depth})
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
