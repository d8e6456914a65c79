"""A Translator gives the same picture whatever its input comes as, and refuses by name what it cannot read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, LABELS, PHOTO_MODEL, save_tiny_model

import pixelwise
from pixelwise import images
from pixelwise.checkpoint import load_checkpoint
from pixelwise.condition import Condition, ConditionSpec
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.translate import Translator, load

INDICES = torch.tensor([[0, 1, 2, 3, 0, 1, 1]] * 3 + [[2, 2, 0, 0, 3, 3, 1]] * 2)
FILE_IDS = LABELS.file_ids(INDICES.numpy())
INSTANCES = np.arange(35, dtype=np.int32).reshape(5, 7) // 6


@pytest.fixture
def labels_to_photo(tmp_path: Path) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL), "cpu")


@pytest.fixture
def with_instances(tmp_path: Path) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL), "cpu")


@pytest.fixture
def photo_to_photo(tmp_path: Path) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL), "cpu")


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def palette_image() -> Image.Image:
    picture = Image.fromarray(FILE_IDS)
    picture.putpalette([200, 100, 0] * 5)
    return picture


def test_the_public_name_loads_a_file(tmp_path: Path) -> None:
    translator = pixelwise.load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL))
    assert isinstance(translator, pixelwise.Translator)
    assert translator.manifest.spec == LABEL_MODEL


@pytest.mark.parametrize(
    "label_map",
    [FILE_IDS, FILE_IDS.astype(np.int64), FILE_IDS[..., None], LABELS.colourise(INDICES.numpy()), palette_image(),
     Image.fromarray(FILE_IDS.astype(np.uint16)), Image.fromarray(LABELS.colourise(INDICES.numpy()))],
    ids=["ids", "int64", "one channel", "colours", "palette", "16 bit", "PIL colours"],
)  # fmt: skip
def test_label_maps_of_every_kind_give_one_picture(
    labels_to_photo: Translator, label_map: np.ndarray | Image.Image
) -> None:
    image = labels_to_photo.translate(Condition(labels=INDICES[None]))[0]
    picture = labels_to_photo(label_map)
    assert type(picture) is type(Image.fromarray(FILE_IDS) if isinstance(label_map, Image.Image) else label_map)
    np.testing.assert_array_equal(np.asarray(picture), images.from_tensor(image, ImageSpec()))


def test_tensors_come_back_with_or_without_batch(labels_to_photo: Translator) -> None:
    single, batch = labels_to_photo(INDICES), labels_to_photo(torch.stack([INDICES, INDICES.flip(0)]))
    assert (single.shape, batch.shape) == ((3, 5, 7), (2, 3, 5, 7))
    assert single.dtype == torch.float32
    assert not single.requires_grad
    torch.testing.assert_close(batch[0], single)
    assert -1 <= float(batch.min()) < float(batch.max()) <= 1


def test_photos_of_every_kind_give_one_picture(photo_to_photo: Translator, photo: np.ndarray, tmp_path: Path) -> None:
    array = photo_to_photo(photo)
    assert (array.shape, array.dtype) == (photo.shape, np.uint8)
    np.testing.assert_array_equal(np.asarray(photo_to_photo(Image.fromarray(photo))), array)
    tensor = images.to_tensor(photo, ImageSpec())
    np.testing.assert_array_equal(images.from_tensor(photo_to_photo(tensor), ImageSpec()), array)
    assert photo_to_photo(tensor[None]).shape == (1, 3, 6, 9)
    images.write(tmp_path / "photo.png", photo)
    torch.testing.assert_close(photo_to_photo.read_condition(tmp_path / "photo.png").image, tensor[None])


def test_a_photo_that_was_taken_upright_is_turned_as_its_file_is(photo_to_photo: Translator, tmp_path: Path) -> None:
    lying = Image.new("RGB", (9, 6))
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(tmp_path / "photo.jpg", exif=exif)
    with Image.open(tmp_path / "photo.jpg") as picture:
        assert photo_to_photo(picture).size == (6, 9)
    assert photo_to_photo.read_condition(tmp_path / "photo.jpg").size == (9, 6)


def test_a_label_map_that_lies_on_its_side_is_turned_as_its_file_is(
    labels_to_photo: Translator, tmp_path: Path
) -> None:
    lying = Image.fromarray(FILE_IDS)
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(tmp_path / "label.png", exif=exif)
    with Image.open(tmp_path / "label.png") as picture:
        assert labels_to_photo(picture).size == (5, 7)
    assert labels_to_photo.read_condition(tmp_path / "label.png").size == (7, 5)


@pytest.mark.parametrize(
    ("target", "mode"),
    [(ImageSpec(1), "L"), (ImageSpec(4), "RGBA"), (ImageSpec(1, "uint16", white=9000), "I;16"),
     (ImageSpec(1, "float32"), "F")],
)  # fmt: skip
def test_outputs_are_what_the_manifest_says(tmp_path: Path, target: ImageSpec, mode: str) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, target=target))
    array, picture = translator(FILE_IDS), translator(palette_image())
    assert (array.shape, array.dtype.name) == ((5, 7, target.channels), target.dtype)
    assert 0 <= array.min() < array.max() <= target.white
    assert picture.mode == mode
    np.testing.assert_array_equal(np.asarray(picture).reshape(array.shape), array)


def test_outputs_that_pil_cannot_hold_are_refused_as_pil_images_only(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, target=ImageSpec(5)))
    assert translator(FILE_IDS).shape == (5, 7, 5)
    with pytest.raises(InputError, match="PIL image cannot hold 5x7x5 uint8"):
        translator(palette_image())


@torch.no_grad()
def test_what_a_model_without_tanh_overshoots_is_clipped(tmp_path: Path) -> None:
    path = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, tanh=False)
    checkpoint = load_checkpoint(path)
    checkpoint.generator.stream.to_parameters.bias.data += 3  # type: ignore[attr-defined]
    raw = checkpoint.generator(Condition(labels=INDICES[None])).image
    assert float(raw.max()) > 1
    torch.testing.assert_close(Translator(checkpoint).translate(Condition(labels=INDICES[None])), raw.clamp(-1, 1))


@torch.no_grad()
def test_an_output_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL))
    checkpoint.generator.stream.to_parameters.bias.data *= torch.nan  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"output is NaN in \d+ of 105 values"):
        Translator(checkpoint)(INDICES)


def test_sizes_may_differ_from_call_to_call(labels_to_photo: Translator) -> None:
    first = labels_to_photo(INDICES)
    assert labels_to_photo(torch.zeros(1, 13, dtype=torch.int64)).shape == (3, 1, 13)
    torch.testing.assert_close(labels_to_photo(INDICES), first, rtol=0, atol=0)


def test_a_generator_in_training_mode_is_set_to_eval(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, norm="batch"))
    expected = Translator(checkpoint).translate(Condition(labels=INDICES[None]))
    checkpoint.generator.train()  # type: ignore[attr-defined]
    torch.testing.assert_close(Translator(checkpoint).translate(Condition(labels=INDICES[None])), expected)


def test_instances_of_every_kind_give_one_picture(with_instances: Translator) -> None:
    condition = Condition(labels=INDICES[None], instances=torch.from_numpy(INSTANCES)[None])
    expected = images.from_tensor(with_instances.translate(condition)[0], ImageSpec())
    for instances in (INSTANCES, Image.fromarray(INSTANCES.astype(np.uint8)), torch.from_numpy(INSTANCES)):
        np.testing.assert_array_equal(with_instances(FILE_IDS, instances=instances), expected)
    assert (with_instances(FILE_IDS, instances=np.zeros_like(INSTANCES)) != expected).any()


def test_instance_maps_must_be_there_when_read_and_only_then(
    with_instances: Translator, photo_to_photo: Translator, photo: np.ndarray
) -> None:
    with pytest.raises(InputError, match="reads an instance map too"):
        with_instances(FILE_IDS)
    with pytest.raises(InputError, match="does not read"):
        photo_to_photo(photo, instances=np.zeros((6, 9), np.uint8))
    with pytest.raises(InputError, match=r"differ in size.*\(5, 7\).*\(4, 7\)"):
        with_instances(FILE_IDS, instances=INSTANCES[:4])
    with pytest.raises(InputError, match="instance map: 5x7 float64"):
        with_instances(FILE_IDS, instances=INSTANCES.astype(float))


@pytest.mark.parametrize(
    ("label_map", "message"),
    [
        (np.where(FILE_IDS == 4, 7, FILE_IDS), r"id 7 \(11 pixels\) not in the label spec"),
        (np.full((2, 2, 3), 17, np.uint8), r"#111111 \(4 pixels\) not among"),
        (FILE_IDS.astype(np.float32), "5x7 float32 is no map of ids"),
        (np.zeros((2, 2, 4), np.uint8), "2x2x4 uint8 is no map of ids"),
        (np.zeros((0, 2), np.uint8), "0x2 uint8 is no map of ids"),
        (np.zeros(2, np.uint8), "2 uint8 is no map of ids"),
        (-FILE_IDS.astype(int), "ids run from -4"),
        (Image.new("RGBA", (2, 2)), "mode 'RGBA', expected one of L, I;16, P, RGB"),
        (INDICES + 1, r"labels run from 1 to 4, expected 0\.\.3"),
        (INDICES.float(), "expected class indices H W or B H W"),
        (INDICES[None, None], r"got a tensor \(1, 1, 5, 7\) of torch.int64"),
        (INDICES[:0], r"got a tensor \(0, 7\)"),
        (INDICES.to(torch.uint16), r"got a tensor \(5, 7\) of torch.uint16"),
        (INDICES.to(torch.complex64), r"got a tensor \(5, 7\) of torch.complex64"),
    ],
)  # fmt: skip
def test_unfit_label_maps_are_refused(
    labels_to_photo: Translator, label_map: np.ndarray | Image.Image | torch.Tensor, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        labels_to_photo(label_map)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((2, 3, 4), np.uint8), "2x3x4 uint8, expected 3 channels of uint8"),
        (np.zeros((2, 3), np.uint8), "2x3x1 uint8, expected 3 channels"),
        (np.zeros((2, 3, 3), np.uint16), "uint16, expected 3 channels of uint8"),
        (Image.new("RGBA", (3, 2)), "2x3x4 uint8, expected 3 channels"),
        (Image.new("P", (3, 2)), "mode 'P', expected one of L, LA, RGB, RGBA, I;16"),
        (torch.zeros(4, 2, 3), "image of 3 channels is needed, the condition has 4"),
        (torch.zeros(3, 2, 3, dtype=torch.uint8), "expected floats C H W or B C H W"),
        ("photo.png", "a PIL image, an array or a tensor, got a str"),
        (np.zeros((0, 3, 3), np.uint8), "image: is 0x3x3 uint8, expected height, width and perhaps channels"),
        (Image.new("RGB", (0, 3)), "image: is 3x0x3 uint8, expected height, width"),
        (np.zeros(9, np.uint8), "image: is 9 uint8, expected height, width"),
        (np.array(9, np.uint8), "image: is a single uint8, expected height, width"),
        (np.zeros((1, 2, 3, 3), np.uint8), "image: is 1x2x3x3 uint8, expected height, width"),
        (torch.full((3, 2, 3), 255.0), r"values run from 255 to 255, expected a tensor in \[-1, 1\]"),
        (torch.full((3, 2, 3), torch.nan), r"values run from nan to nan, expected a tensor in \[-1, 1\]"),
    ],
)  # fmt: skip
def test_unfit_photos_are_refused(photo_to_photo: Translator, picture: np.ndarray | Image.Image, message: str) -> None:
    with pytest.raises(InputError, match=message):
        photo_to_photo(picture)


def test_nan_in_a_float_image_is_refused(tmp_path: Path) -> None:
    image = ImageSpec(1, "float32")
    path = save_tiny_model(tmp_path / "model.safetensors", ConditionSpec(image_channels=1), image=image)
    with pytest.raises(InputError, match="values run from nan to nan"):
        load(path)(np.full((4, 4, 1), np.nan, np.float32))


def test_a_model_of_labels_and_photo_takes_conditions_only(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", ConditionSpec(LABELS, image_channels=3)))
    with pytest.raises(InputError, match=r"make a Condition and call translate\(\)"):
        translator(FILE_IDS)
    condition = Condition(labels=INDICES[None], image=torch.zeros(1, 3, 5, 7))
    assert translator.translate(condition).shape == (1, 3, 5, 7)


def test_files_are_read_as_the_model_wants_them(with_instances: Translator, tmp_path: Path) -> None:
    images.write_labels(tmp_path / "label.png", INDICES.numpy(), LABELS)
    images.write(tmp_path / "instances.png", INSTANCES.astype(np.uint8))
    condition = with_instances.read_condition(tmp_path / "label.png", tmp_path / "instances.png")
    assert condition.labels is not None
    assert condition.instances is not None
    np.testing.assert_array_equal(condition.labels[0], INDICES)
    np.testing.assert_array_equal(condition.instances[0], INSTANCES)


def test_unfit_files_are_named(with_instances: Translator, tmp_path: Path) -> None:
    label, instances = tmp_path / "label.png", tmp_path / "instances.png"
    images.write_labels(label, INDICES.numpy(), LABELS)
    images.write(instances, INSTANCES[:, :3].astype(np.uint8))
    with pytest.raises(InputError, match=r"label.png is 7x5, .*instances.png is 3x5"):
        with_instances.read_condition(label, instances)
    with pytest.raises(InputError, match=r"label.png: the model reads an instance map too"):
        with_instances.read_condition(label)
    with pytest.raises(InputError, match=r"instances.png: ids 3 \(\d+ pixels\), 5"):
        with_instances.read_condition(instances, label)
