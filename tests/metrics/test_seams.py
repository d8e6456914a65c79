"""The measure of seams against steps drawn by hand, and on fields rendered both ways."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.metrics.seams import seams
from pixelwise.render import Guide, PixelMlp, PixelwiseField, render

GREY_LEVEL = 2 / 255
FLOOR = 0.1 * GREY_LEVEL


def staircase(width: int, cell: int, inside: float, across: float) -> Tensor:
    """One row that rises by ``inside`` from pixel to pixel, and by ``across`` from cell to cell."""
    steps = torch.tensor([across if column % cell == 0 else inside for column in range(1, width)])
    return torch.cat([torch.zeros(1), steps.cumsum(0)])


def test_steps_drawn_by_hand() -> None:
    row = staircase(24, cell=8, inside=0.01, across=0.05)
    expected = (0.05 + FLOOR) / (0.01 + FLOOR)
    across = row.view(1, 1, 1, 24).expand(1, 3, 8, 24)
    # Vertical neighbours are equal, and no border lies between them.
    assert seams(across, 8).item() == pytest.approx(expected, rel=1e-4)
    assert seams(across.mT, 8).item() == pytest.approx(expected, rel=1e-4)
    both = (row[:, None] + row).view(1, 1, 24, 24)
    assert seams(both, 8).item() == pytest.approx(expected, rel=1e-4)


def test_both_directions_count_alike() -> None:
    row = staircase(24, cell=8, inside=0.01, across=0.05)
    picture = row.view(1, 1, 1, 24).expand(1, 1, 48, 24)
    expected = (0.05 / 2 + FLOOR) / (0.01 / 2 + FLOOR)
    assert seams(picture, 8).item() == pytest.approx(expected, rel=1e-4)


def test_only_the_borders_of_cells_of_that_size_count() -> None:
    row = staircase(24, cell=8, inside=0.0, across=1.0)
    picture = row.view(1, 1, 1, 24)
    assert seams(picture, 8).item() == pytest.approx((1 + FLOOR) / FLOOR, rel=1e-4)
    # Of five borders of cells of 4 pixels two are steps.
    assert seams(picture, 4).item() == pytest.approx((2 / 5 + FLOOR) / FLOOR, rel=1e-4)
    assert seams(picture, 5).item() < 1


def test_flat_pictures_have_no_seams_and_nearly_flat_ones_hardly_any() -> None:
    flat = torch.full((2, 3, 16, 16), 0.3)
    assert seams(flat, 4).tolist() == pytest.approx([1, 1])
    flat[1, :, :, 8:] += GREY_LEVEL
    first, second = seams(flat, 4).tolist()
    assert first == pytest.approx(1)
    assert 1 < second < 3


def test_noise_has_no_seams() -> None:
    noise = torch.rand(4, 3, 256, 256, generator=torch.Generator().manual_seed(4)) * 2 - 1
    assert seams(noise, 16).tolist() == pytest.approx([1.0] * 4, abs=0.02)


def test_nearest_parameters_leave_seams_where_bilinear_ones_do_not() -> None:
    numbers = torch.Generator().manual_seed(5)
    cell, mlp = 8, PixelMlp((3, 8, 3))
    parameters = torch.randn(2, mlp.num_parameters, 6, 8, generator=numbers) / 2
    smooth = torch.nn.functional.interpolate(torch.rand(2, 3, 4, 4, generator=numbers), (48, 64), mode="bilinear")
    nearest, bilinear = (
        seams(render(PixelwiseField(parameters, mlp, cell, way, pixel_code=False), Guide(None, 0, smooth)), cell)
        for way in (False, True)
    )
    assert (nearest > 3 * bilinear).all()
    assert bilinear.tolist() == pytest.approx([1, 1], abs=0.3)


@pytest.mark.parametrize(("cell", "size"), [(1, (8, 8)), (8, (8, 8)), (64, (48, 32))])
def test_without_borders_there_is_no_figure(cell: int, size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"cells of {cell} pixels in a picture of {size[0]} x {size[1]}"):
        seams(torch.zeros(1, 3, *size), cell)
