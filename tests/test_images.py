from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixelwise import images
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

SPEC = LabelSpec(names=("a", "b", "c"), ids=(1, 2, 200), ignore_id=0)
LABELS = np.array([[0, 1, 2], [3, 3, 0]], np.int32)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_integer_survives_the_way_there_and_back(dtype: str):
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1, 1)
    spec = ImageSpec(channels=1, dtype=dtype)
    tensor = images.to_tensor(values, spec)
    assert (tensor.min(), tensor.max()) == (-1, 1)
    np.testing.assert_array_equal(images.from_tensor(tensor, spec), values)


@given(white=st.integers(1, 65535))
def test_every_depth_survives_whatever_is_white(white: int):
    spec = ImageSpec(channels=1, dtype="uint16", white=white)
    values = np.arange(white + 1, dtype=np.uint16).reshape(1, -1, 1)
    np.testing.assert_array_equal(images.from_tensor(images.to_tensor(values, spec), spec), values)


def test_floats_survive():
    values = np.random.default_rng(0).random((5, 6, 4), np.float32)
    spec = ImageSpec(channels=4, dtype="float32")
    np.testing.assert_allclose(images.from_tensor(images.to_tensor(values, spec), spec), values, atol=1e-7)


def test_tensors_have_channels_first():
    array = np.zeros((4, 6, 3), np.uint8)
    array[1, 2] = 255, 0, 51
    tensor = images.to_tensor(array, ImageSpec())
    assert (tensor.shape, tensor.dtype) == ((3, 4, 6), torch.float32)
    torch.testing.assert_close(tensor[:, 1, 2], torch.tensor([1, -1, -0.6]))


def test_outputs_beyond_the_range_are_clipped():
    tensor = torch.tensor([-3.0, 3.0]).reshape(1, 1, 2)
    assert images.from_tensor(tensor, ImageSpec(channels=1)).ravel().tolist() == [0, 255]


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 10_000), ("float32", 10), ("float32", 3e-4)])
def test_what_a_model_makes_is_never_read_back_as_a_hole(dtype: str, white: float):
    spec = ImageSpec(1, dtype, white, unit="m", holes=True)
    output = torch.tensor([-3.0, -1.0, 0.0, 1.0]).view(1, 1, 4)
    stored = images.stored(output, spec)
    assert stored.dtype == dtype
    measured = images.measured(images.to_tensor(stored, spec), spec)
    assert measured is not None
    assert measured.all()
    assert stored.max() == np.array(white, dtype)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((4, 4, 1), "uint8"), ((4, 4, 4), "uint8"), ((4, 4, 3), "uint16"), ((4, 4), "uint8")]
)
def test_other_channels_or_types_are_refused_by_file(shape: tuple[int, ...], dtype: str):
    with pytest.raises(InputError, match=r"x\.png: is 4x4.* uint.*, expected 3 channels of uint8"):
        images.to_tensor(np.zeros(shape, dtype), ImageSpec(), "x.png")


def test_values_above_white_are_refused():
    with pytest.raises(InputError, match=r"d\.png: values run from 0 to 300, expected 0\.\.200"):
        images.to_tensor(np.array([[[0], [300]]], np.uint16), ImageSpec(1, "uint16", 200), "d.png")


def test_floats_may_be_noisy_but_not_bytes_in_disguise():
    spec = ImageSpec(1, "float32")
    assert images.to_tensor(np.array([[[-0.5], [1.5]]], np.float32), spec).flatten().tolist() == [-2, 2]
    with pytest.raises(InputError, match="values run from 0"):
        images.to_tensor(np.array([[[0.0], [255.0]]], np.float32), spec)


def test_grey_becomes_colour_only_where_the_spec_says_so():
    tensor = images.to_tensor(np.full((2, 2, 1), 255, np.uint8), ImageSpec(grey_as_colour=True))
    assert torch.equal(tensor, torch.ones(3, 2, 2))


def test_tensors_of_other_channels_are_refused():
    with pytest.raises(InputError, match="expected a tensor of 3 channels"):
        images.from_tensor(torch.zeros(1, 4, 4), ImageSpec())


def test_image_specs_survive_json_and_know_their_white():
    spec = ImageSpec(1, "uint16", 10_000)
    assert ImageSpec.from_json(spec.to_json()) == spec
    assert [ImageSpec(dtype=dtype).white for dtype in ("uint8", "uint16", "float32")] == [255, 65535, 1]


@pytest.mark.parametrize(
    "fields",
    [{"dtype": "int8"}, {"channels": 0}, {"white": -1}, {"colour": 3}, {"channels": 4, "grey_as_colour": True}],
)
def test_image_specs_that_cannot_be_are_refused(fields: dict):
    with pytest.raises(InputError):
        ImageSpec.from_json(fields)


def test_grey_files_have_one_channel(tmp_path: Path):
    images.write(tmp_path / "a.png", np.zeros((3, 5), np.uint16))
    assert images.read(tmp_path / "a.png").shape == (3, 5, 1)


@pytest.mark.parametrize("array", [np.zeros((3, 5)), np.zeros((3, 5), np.int32), np.zeros((3, 5), bool)])
def test_other_number_types_are_refused_not_converted(tmp_path: Path, array: np.ndarray):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=rf"a\.npy: stores {array.dtype}"):
        images.read(tmp_path / "a.npy")


def test_nan_is_refused(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.array([[0, np.nan]], np.float32))
    with pytest.raises(InputError, match="1 values are NaN"):
        images.read(tmp_path / "a.npy")


def test_label_maps_are_written_as_a_palette_and_read_back(tmp_path: Path):
    images.write_labels(tmp_path / "a.png", LABELS, SPEC)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(image, SPEC.file_ids(LABELS))
        np.testing.assert_array_equal(image.convert("RGB"), SPEC.colourise(LABELS))
    np.testing.assert_array_equal(images.read_labels(tmp_path / "a.png", SPEC), LABELS)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy", ".bmp"])
def test_label_maps_are_read_from_ids_of_any_lossless_kind(tmp_path: Path, suffix: str):
    ids = SPEC.file_ids(LABELS)
    path = tmp_path / f"a{suffix}"
    Image.fromarray(ids).save(path) if suffix == ".bmp" else images.write(path, ids)
    labels = images.read_labels(path, SPEC)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, LABELS)


def test_label_maps_are_read_from_colours(tmp_path: Path):
    images.write(tmp_path / "a.png", SPEC.colourise(LABELS))
    np.testing.assert_array_equal(images.read_labels(tmp_path / "a.png", SPEC), LABELS)


def test_ids_above_255_take_16_bit_grey(tmp_path: Path):
    spec = LabelSpec(names=("a", "b"), ids=(7, 40_000))
    images.write_labels(tmp_path / "a.png", LABELS % 2, spec)
    np.testing.assert_array_equal(images.read(tmp_path / "a.png")[..., 0], spec.file_ids(LABELS % 2))
    np.testing.assert_array_equal(images.read_labels(tmp_path / "a.png", spec), LABELS % 2)


def test_unknown_ids_name_their_file(tmp_path: Path):
    images.write(tmp_path / "a.png", np.array([[1, 9, 9]], np.uint8))
    with pytest.raises(InputError, match=r"a\.png: id 9 \(2 pixels\)"):
        images.read_labels(tmp_path / "a.png", SPEC)


def test_label_maps_in_jpeg_are_refused(tmp_path: Path):
    images.write(tmp_path / "a.jpg", np.zeros((8, 8), np.uint8))
    with pytest.raises(InputError, match="changes ids"):
        images.read_labels(tmp_path / "a.jpg", SPEC)


def test_labels_outside_the_spec_are_not_written(tmp_path: Path):
    with pytest.raises(InputError, match=r"labels run from 1 to 4, expected 0\.\.3"):
        images.write_labels(tmp_path / "a.png", LABELS + 1, SPEC)
    with pytest.raises(InputError, match=r"only \.png"):
        images.write_labels(tmp_path / "a.jpg", LABELS, SPEC)
    assert not list(tmp_path.iterdir())


def test_instances_are_read_from_16_bit_32_bit_and_colours(tmp_path: Path):
    ids = np.array([[26_000, 26_001], [0, 65_535]], np.uint16)
    images.write(tmp_path / "a.png", ids)
    np.testing.assert_array_equal(images.read_instances(tmp_path / "a.png"), ids)
    np.save(tmp_path / "b.npy", ids.astype(np.int64) * 1000)
    np.testing.assert_array_equal(images.read_instances(tmp_path / "b.npy"), ids.astype(np.int64) * 1000)
    images.write(tmp_path / "c.png", np.array([[[1, 2, 3]]], np.uint8))
    assert images.read_instances(tmp_path / "c.png").tolist() == [[0x010203]]


@pytest.mark.parametrize("array", [np.array([[-1, 0]]), np.array([[2**31, 0]]), np.zeros((2, 2), np.float32)])
def test_what_cannot_be_ids_is_refused(tmp_path: Path, array: np.ndarray):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=r"a\.npy: .*expected"):
        images.read_instances(tmp_path / "a.npy")
