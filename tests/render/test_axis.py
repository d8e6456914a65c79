from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from pixelwise.render import PixelMlp, PixelwiseField
from pixelwise.render.axis import axis, positions

FIELD = PixelwiseField(torch.zeros(1, 8, 5, 5), PixelMlp((1, 4)), cell=8, bilinear=True, pixel_code=False)


@pytest.mark.parametrize(("most", "longest"), [(3, 3), (0, 1), (100, 8)])
def test_cut_blocks_cover_the_same_pixels_by_the_same_cells(most: int, longest: int) -> None:
    whole = axis(FIELD, 3, 25, 1.0, dim=0)
    cut = whole.cut(most)
    assert cut.longest == longest

    def acting(blocks: tuple) -> list[tuple[int, ...]]:  # type: ignore[type-arg]
        assert [block.pixels.start for block in blocks[1:]] == [block.pixels.stop for block in blocks[:-1]]
        return [block.cells for block in blocks for _ in range(len(block))]

    assert acting(cut.blocks) == acting(whole.blocks)
    assert len(acting(cut.blocks)) == len(cut) == 25


def test_positions_count_pixels_of_the_input() -> None:
    assert positions(-1, 3, 1.0).tolist() == [-1, 0, 1]
    assert positions(0, 4, 2.0).tolist() == [-0.25, 0.25, 0.75, 1.25]


def test_pictures_of_a_size_share_what_an_axis_holds_whatever_mode_made_it() -> None:
    with torch.inference_mode(), torch.device("meta"):
        made = axis(FIELD, 1, 11, 1.5, dim=0)
    again = axis(FIELD, 1, 11, 1.5, dim=0)
    assert made.positions.data_ptr() == again.positions.data_ptr()
    assert not again.shares.is_inference()
    assert again.shares.device.type == "cpu"
    parameters = torch.ones(11, 2, requires_grad=True)
    (parameters * again.shares).sum().backward()
    torch.testing.assert_close(parameters.grad, again.shares.float())


@pytest.mark.parametrize(
    "change",
    [
        {"first_cell": (1, 0)},
        {"cell": 4},
        {"bilinear": False},
        {"pixel_code": True},
        {"parameters": torch.zeros(1, 8, 2, 5)},
    ],
)
def test_axes_of_fields_that_differ_are_laid_out_anew(change: dict[str, Any]) -> None:
    ours, other = (axis(field, 8, 16, 1.0, dim=0) for field in (FIELD, replace(FIELD, **change)))
    assert (ours.blocks, ours.code.shape) != (other.blocks, other.code.shape)


@pytest.mark.parametrize("change", [{"first": 9}, {"count": 17}, {"scale": 2.0}])
def test_axes_of_other_pixels_are_laid_out_anew(change: dict[str, Any]) -> None:
    where = {"first": 8, "count": 16, "scale": 1.0}
    ours, other = (axis(FIELD, **asked, dim=0) for asked in (where, where | change))
    assert ours.positions.tolist() != other.positions.tolist()
