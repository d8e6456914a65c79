"""Models that find classes: photos in, label maps out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_model import LABELS, PHOTO_MODEL, save_tiny_model
from torch import Tensor

from pixelwise import images
from pixelwise.checkpoint import Manifest, read_manifest
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.translate import Translator, jobs, load
from pixelwise.translate.job_plan import Job
from pixelwise.translate.large import translate_large


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_tiny_model(tmp_path / "m.safetensors", PHOTO_MODEL, target=LABELS, tanh=False)


@pytest.fixture
def translator(model: Path) -> Translator:
    return load(model, "cpu")


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)


def found(translator: Translator, photo: np.ndarray) -> Tensor:
    """The likeliest class of every pixel, 1 H W, by the generator alone."""
    with torch.inference_mode():
        image = translator.generator(translator.condition(photo)).image
    return image.argmax(1)


def test_labels_come_as_the_photo_did(translator: Translator, photo: np.ndarray) -> None:
    expected = found(translator, photo)
    assert 1 < len(expected.unique()) <= LABELS.num_classes
    ids = LABELS.file_ids(expected[0].numpy())
    np.testing.assert_array_equal(translator(photo), ids)
    palette = translator(Image.fromarray(photo))
    assert palette.mode == "P"
    np.testing.assert_array_equal(np.array(palette), ids)
    np.testing.assert_array_equal(np.array(palette.convert("RGB")), LABELS.colourise(expected[0].numpy()))
    tensor = translator.condition(photo).image
    assert torch.equal(translator(tensor), expected.int())
    assert torch.equal(translator(tensor[0]), expected[0].int())
    assert translator(photo, scale=2).shape == (24, 40)


def test_ids_beyond_a_byte_have_no_palette(tmp_path: Path, photo: np.ndarray) -> None:
    labels = LabelSpec(("a", "b"), ids=(7, 300))
    translator = load(save_tiny_model(tmp_path / "m.safetensors", PHOTO_MODEL, target=labels, tanh=False), "cpu")
    picture = translator(Image.fromarray(photo))
    np.testing.assert_array_equal(np.array(picture), labels.file_ids(found(translator, photo)[0].numpy()))


def test_files_are_label_maps(translator: Translator, photo: np.ndarray, tmp_path: Path) -> None:
    images.write(tmp_path / "photo.png", photo)
    (outcome,) = jobs.run(translator, [Job(tmp_path / "photo.png", tmp_path / "out.png")])
    assert (outcome.error, outcome.size) == (None, (12, 20))
    np.testing.assert_array_equal(images.read_labels(tmp_path / "out.png", LABELS), found(translator, photo)[0])


def test_a_format_that_keeps_no_ids_is_refused_before_anything_is_done(translator: Translator, tmp_path: Path) -> None:
    job = Job(tmp_path / "photo.png", tmp_path / "out.jpg")
    with pytest.raises(InputError, match=r"\.jpg: the model makes label maps, which are written as \.png only"):
        list(jobs.run(translator, [job]))
    with pytest.raises(InputError, match=r"out\.tif: the model makes label maps"):
        translate_large(translator, job.source, tmp_path / "out.tif")


def test_what_is_for_pictures_alone_says_so(translator: Translator, photo: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this model finds classes: editing sessions are for"):
        translator.begin(photo)


def test_the_manifest_says_which_classes(model: Path) -> None:
    manifest = read_manifest(model)
    assert manifest.target == LABELS
    assert Manifest.from_json(manifest.to_json()) == manifest
