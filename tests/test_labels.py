from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.errors import InputError
from pixelwise.labels import (
    INDEX_TYPES,
    MAX_FILE_ID,
    LabelSpec,
    as_bytes,
    check_range,
    default_palette,
    instance_edges,
    occurring,
    one_hot,
)

GOLDEN = Path(__file__).parent / "golden" / "preprocess.npz"
SPEC = LabelSpec(names=("sky", "road", "car"), ids=(4, 300, 7), ignore_id=255)


@st.composite
def specs(draw: st.DrawFn) -> LabelSpec:
    ids = draw(st.lists(st.integers(0, MAX_FILE_ID), min_size=2, max_size=20, unique=True))
    ignore_id = ids.pop() if draw(st.booleans()) else None
    return LabelSpec(names=tuple(f"class {file_id}" for file_id in ids), ids=tuple(ids), ignore_id=ignore_id)


def test_input_of_published_networks_is_reproduced_exactly():
    golden = np.load(GOLDEN)
    planes = one_hot(torch.from_numpy(golden["in/label"])[:, 0], 7)
    edges = instance_edges(torch.from_numpy(golden["in/instance"])[:, 0])
    np.testing.assert_array_equal(torch.cat([planes, edges], dim=1).numpy(), golden["out/semantics"])
    np.testing.assert_array_equal(edges.numpy(), golden["out/edges"])


def test_ids_default_to_the_class_indices():
    assert LabelSpec(names=("a", "b")) == LabelSpec(names=("a", "b"), ids=(0, 1))


def test_dont_care_is_the_last_channel_whatever_its_id():
    assert SPEC.num_channels == SPEC.num_classes + 1 == 4
    np.testing.assert_array_equal(SPEC.index(np.array([[255, 4], [7, 300]])), [[3, 0], [2, 1]])


@given(specs(), st.integers(0, 2**32 - 1))
def test_ids_and_colours_come_back_from_class_indices(spec: LabelSpec, seed: int):
    labels = np.random.default_rng(seed).integers(0, spec.num_channels, (5, 7))
    np.testing.assert_array_equal(spec.index(spec.file_ids(labels)), labels)
    np.testing.assert_array_equal(spec.index_colours(spec.colourise(labels)), labels)


@given(specs())
def test_specs_survive_json(spec: LabelSpec):
    assert LabelSpec.from_json(spec.to_json()) == spec


def test_unknown_ids_are_named_with_their_file_and_pixels():
    with pytest.raises(InputError, match=r"x\.png: ids 9 \(1 pixels\), 10 \(2 pixels\) .* 255 is don't care"):
        SPEC.index(np.array([[10, 10, 9, 4]], np.uint8), "x.png")


@pytest.mark.parametrize("file_id", [-1, MAX_FILE_ID + 1])
def test_ids_beyond_the_table_are_unknown_too(file_id: int):
    with pytest.raises(InputError, match=rf"id {file_id} \(1 pixels\)"):
        SPEC.index(np.array([[file_id, 4]]))


def test_a_long_list_of_unknown_ids_is_cut():
    with pytest.raises(InputError, match="and 5 more"):
        SPEC.index(np.arange(10, 20)[None])


def test_unknown_colours_are_named():
    with pytest.raises(InputError, match=r"x\.png: colour #010203 \(2 pixels\) not among the spec's 4 colours"):
        SPEC.index_colours(np.full((1, 2, 3), (1, 2, 3), np.uint8), "x.png")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"names": ()}, "at least one class"),
        ({"names": ("a", "b"), "ids": (1,)}, "2 class names but 1 ids"),
        ({"names": ("a", "b"), "ids": (1, 1)}, "distinct"),
        ({"names": ("a", "b"), "ids": (1, 2), "ignore_id": 2}, "distinct"),
        ({"names": ("a",), "ids": (-1,)}, r"0\.\.65535"),
        ({"names": ("a",), "ignore_id": 65536}, r"0\.\.65535"),
        ({"names": ("a", "b"), "colours": ((1, 2, 3), (1, 2, 3))}, "2 distinct colours, got 1 of 2"),
        ({"names": ("a",), "colours": ((1, 2, 256),)}, r"0\.\.255"),
        ({"names": ("a",), "colour": ()}, "not a label spec"),
        ({}, "not a label spec"),
        ({"names": "wall, door"}, "not a label spec: 'names' must be a list of text"),
        ({"names": ("a",), "ignore_id": "255"}, "'ignore_id' must be an integer or null"),
        ({"names": ("a",), "ids": (0.5,)}, "'ids' must be a list of an integer"),
    ],
)
def test_specs_that_cannot_be_are_refused(fields: dict, message: str):
    with pytest.raises(InputError, match=message):
        LabelSpec.from_json(fields)


def test_default_palette_starts_as_pascal_vocs():
    assert default_palette(5) == ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128))


def test_default_palette_has_no_colour_twice():
    assert len(set(default_palette(2000))) == 2000


def test_one_hot_refuses_labels_outside_its_channels():
    with pytest.raises(InputError, match=r"labels run from 0 to 3, expected 0\.\.2"):
        one_hot(torch.tensor([[[0, 3]]]), 3)
    with pytest.raises(InputError, match="labels run from -1"):
        one_hot(torch.tensor([[[-1, 0]]]), 3)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint16, torch.float32])
def test_labels_are_integers_that_torch_reckons_with(dtype: torch.dtype):
    with pytest.raises(InputError, match=f"labels are {dtype}, expected class indices: torch.uint8, "):
        check_range(torch.zeros(1, 2, 2, dtype=dtype), 3)


def test_labels_that_occur():
    labels = torch.tensor([[[0, 3, 3], [0, 0, 0]]])
    for dtype in (torch.int64, torch.uint8):
        assert occurring(labels.to(dtype), 5).tolist() == [True, False, False, True, False]
    with pytest.raises(InputError, match=r"from 0 to 3, expected 0\.\.2"):
        occurring(labels, 3)


@pytest.mark.parametrize("dtype", INDEX_TYPES)
def test_indices_become_bytes_where_classes_are_few_enough(dtype: torch.dtype) -> None:
    labels = torch.tensor([[[0, 3], [100, 3]]], dtype=dtype)
    assert (as_bytes(labels, 256).dtype, as_bytes(labels, 257).dtype) == (torch.uint8, dtype)
    assert torch.equal(as_bytes(labels, 256), labels.to(torch.uint8))
    with pytest.raises(InputError, match=r"labels run from 0 to 100, expected 0\.\.99"):
        as_bytes(labels, 100)


def test_edges_mark_both_sides_of_a_border_and_not_the_images_own():
    instances = torch.tensor([[[1, 1, 2], [1, 1, 2], [1, 1, 1]]])
    assert instance_edges(instances)[0, 0].tolist() == [[0, 1, 1], [0, 1, 1], [0, 0, 1]]
