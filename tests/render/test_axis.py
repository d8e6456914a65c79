from __future__ import annotations

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
