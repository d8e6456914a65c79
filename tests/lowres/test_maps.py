"""The compiled readers of label and instance maps: what ``pixelwise.labels`` defines, for every instruction set."""

import pytest
import torch

from pixelwise import labels as definition
from pixelwise.errors import InputError
from pixelwise.lowres import maps
from pixelwise.native import library

pytestmark = pytest.mark.skipif(library.missing() is not None, reason=str(library.missing()))
INSTRUCTION_SETS = [] if library.missing() else list(library.instruction_sets())
SIZES = [(1, 1, 1), (1, 1, 9), (1, 9, 1), (3, 2, 2), (2, 33, 130), (1, 70, 257)]


def blocks_and_noise(size: tuple[int, int, int], most: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
    """Half of it large areas, as maps are, half of it pixels that all differ."""
    pictures, height, width = size
    torch.manual_seed(height * width)
    areas = torch.randint(most, (pictures, height // 30 + 1, width // 30 + 1))
    areas = areas.repeat_interleave(30, 1).repeat_interleave(30, 2)[:, :height, :width].clone()
    areas[..., width // 2 :] = torch.randint(most, areas[..., width // 2 :].shape)
    return areas.to(dtype)


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("dtype", definition.INDEX_TYPES, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_maps_are_read_as_defined(size, dtype, instruction_set):
    labels = blocks_and_noise(size, 100, dtype)
    assert torch.equal(maps.as_bytes(labels, 100, instruction_set), definition.as_bytes(labels, 100))
    for some in (labels, labels.byte()):
        assert torch.equal(maps.occurring(some, 120, instruction_set), definition.occurring(some, 120))
    assert torch.equal(maps.instance_edges(labels, instruction_set), definition.instance_edges(labels))


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64], ids=str)
def test_ids_that_differ_in_their_high_bits_alone_meet(dtype):
    far = torch.iinfo(dtype).max // 2 + 1
    instances = torch.tensor([[[0, 0, far, far], [0, 0, -far, far]]]).to(dtype)
    assert torch.equal(maps.instance_edges(instances), definition.instance_edges(instances))


def test_parts_of_a_map_are_read_where_they_lie():
    whole = blocks_and_noise((2, 40, 90), 50)
    for part in (whole[:, 3:30, 5:77], whole[:, ::2], whole[..., ::3], whole.transpose(1, 2), whole[1:]):
        assert torch.equal(maps.as_bytes(part, 50), part.byte())
        assert torch.equal(maps.occurring(part.byte(), 50), definition.occurring(part, 50))
        assert torch.equal(maps.instance_edges(part), definition.instance_edges(part))


def test_all_256_labels_fit():
    labels = torch.arange(256).view(1, 4, 64)
    assert torch.equal(maps.as_bytes(labels, 256).long(), labels)
    assert maps.occurring(labels.byte(), 256).all()
    assert not maps.occurring(labels[:, :1].byte(), 256)[64:].any()


def test_more_labels_than_bytes_hold_stay_as_they_are():
    labels = torch.tensor([[[0, 255]]])
    for dtype in (torch.uint8, torch.int64):
        assert torch.equal(maps.as_bytes(labels.to(dtype), 300), labels.to(dtype))
        assert torch.equal(maps.occurring(labels.to(dtype), 300), definition.occurring(labels, 300))


@pytest.mark.parametrize("wrong", [-1, 7, 256, 263, -256, 2**15 - 1])
@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64], ids=str)
def test_a_single_unknown_label_is_refused_as_defined(wrong, dtype):
    labels = torch.zeros(1, 65, 70, dtype=dtype)
    labels[0, 64, 69] = wrong
    with pytest.raises(InputError, match=f"labels run from {min(wrong, 0)} to {max(wrong, 0)}, expected 0..6"):
        maps.as_bytes(labels, 7)


def test_an_unknown_byte_is_refused():
    labels = torch.tensor([[[0, 7]]], dtype=torch.uint8)
    for read in (maps.as_bytes, maps.occurring):
        with pytest.raises(InputError, match=r"labels run from 0 to 7, expected 0\.\.6"):
            read(labels, 7)


def test_what_is_no_index_is_refused_as_defined():
    for read in (maps.as_bytes, maps.occurring):
        with pytest.raises(InputError, match=r"torch\.float32, expected class indices"):
            read(torch.zeros(1, 2, 2), 3)


def test_maps_on_another_device_are_left_to_torch():
    labels = torch.zeros(1, 4, 4, dtype=torch.int64, device="meta")
    assert maps.instance_edges(labels).device.type == "meta"
    assert maps.as_bytes(labels, 3).device.type == "meta"
