"""The reference engine against a transcription of Eq. 1 and 2 that treats one pixel at a time."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.labels import one_hot
from pixelwise.render import Guide, PixelMlp, PixelwiseField, render
from pixelwise.render.axis import axis
from pixelwise.render.field import code_periods, num_code_channels


def make_field(
    guide: Guide,
    cell: int,
    *,
    bilinear: bool = False,
    code: bool = True,
    hidden: tuple[int, ...] = (6, 5),
    outputs: int = 3,
) -> PixelwiseField:
    height, width = guide.size
    inputs = guide.num_channels + (num_code_channels(cell) if code else 0)
    mlp = PixelMlp((inputs, *hidden, outputs))
    batch = len(planes_of(guide))
    grid = (-(-height // cell), -(-width // cell))
    return PixelwiseField(torch.randn(batch, mlp.num_parameters, *grid) / 2, mlp, cell, bilinear, code)


def label_guide(batch: int, height: int, width: int, neighbourhood: int = 1) -> Guide:
    return Guide(torch.randint(4, (batch, height, width)), 4, None, neighbourhood)


def image_guide(batch: int, height: int, width: int, neighbourhood: int = 1) -> Guide:
    return Guide(None, 0, torch.rand(batch, 2, height, width) * 2 - 1, neighbourhood)


def planes_of(guide: Guide) -> Tensor:
    labels = [] if guide.labels is None else [one_hot(guide.labels, guide.num_labels)]
    return torch.cat([*labels, *([] if guide.image is None else [guide.image])], dim=1)


def pixel_by_pixel(field: PixelwiseField, guide: Guide) -> Tensor:
    planes = planes_of(guide)
    batch, _, height, width = planes.shape
    reach = guide.neighbourhood // 2
    image = torch.empty(batch, field.mlp.widths[-1], height, width)
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                inputs = [
                    planes[b, :, min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]
                    for dy in range(-reach, reach + 1)
                    for dx in range(-reach, reach + 1)
                ]
                if field.pixel_code:
                    for period in code_periods(field.cell):
                        for position in (x, y):
                            phase = 2 * math.pi * position / period
                            inputs.append(torch.tensor([math.cos(phase), math.sin(phase)]))
                image[b, :, y, x] = mlp_of_pixel(field, field.parameters[b], y, x, torch.cat(inputs))
    return image


def mlp_of_pixel(field: PixelwiseField, parameters: Tensor, y: int, x: int, value: Tensor) -> Tensor:
    rest = parameters_of_pixel(field, parameters, y, x)
    widths = field.mlp.widths
    for layer, (inputs, outputs) in enumerate(pairwise(widths)):
        bias, weight, rest = rest[:outputs], rest[outputs : outputs * (1 + inputs)], rest[outputs * (1 + inputs) :]
        value = value @ weight.reshape(inputs, outputs) + bias
        if layer < len(widths) - 2:
            value = torch.where(value > 0, value, 0.01 * value)
    return torch.tanh(value)


def parameters_of_pixel(field: PixelwiseField, parameters: Tensor, y: int, x: int) -> Tensor:
    if not field.bilinear:
        return parameters[:, y // field.cell, x // field.cell]
    mixed = torch.zeros(parameters.shape[0])
    for row, row_share in corners(y, field.cell, parameters.shape[1]):
        for column, column_share in corners(x, field.cell, parameters.shape[2]):
            mixed += row_share * column_share * parameters[:, row, column]
    return mixed


def corners(position: int, cell: int, num_cells: int) -> list[tuple[int, float]]:
    place = (position + 0.5) / cell - 0.5
    before = math.floor(place)
    share = place - before
    return [(min(max(index, 0), num_cells - 1), part) for index, part in ((before, 1 - share), (before + 1, share))]


@pytest.mark.parametrize("bilinear", [False, True])
@pytest.mark.parametrize(
    ("guide", "cell"),
    [
        (label_guide(2, 16, 24), 8),
        (label_guide(1, 13, 9), 4),  # no multiple of the cell
        (label_guide(1, 5, 5), 8),  # one cell, covered in part
        (image_guide(2, 9, 7), 3),  # an odd cell
        (image_guide(1, 10, 12, neighbourhood=3), 4),
        (label_guide(1, 6, 7, neighbourhood=5), 4),
        (image_guide(1, 3, 4), 1),  # a cell per pixel has no pixel code
    ],
)
def test_agrees_with_pixel_by_pixel(guide: Guide, cell: int, bilinear: bool) -> None:
    torch.manual_seed(0)
    field = make_field(guide, cell, bilinear=bilinear)
    torch.testing.assert_close(render(field, guide), pixel_by_pixel(field, guide), atol=1e-5, rtol=0)


def test_labels_come_before_the_image() -> None:
    guide = Guide(torch.randint(3, (1, 8, 8)), 3, torch.rand(1, 2, 8, 8))
    field = make_field(guide, 4, code=False)
    torch.testing.assert_close(render(field, guide), pixel_by_pixel(field, guide), atol=1e-5, rtol=0)


def test_two_sizes_in_a_row() -> None:
    for size in ((16, 16), (11, 30), (16, 16)):
        guide = label_guide(1, *size)
        field = make_field(guide, 8)
        torch.testing.assert_close(render(field, guide), pixel_by_pixel(field, guide), atol=1e-5, rtol=0)


@pytest.mark.parametrize("bilinear", [False, True])
def test_gradients(bilinear: bool) -> None:
    guide = image_guide(1, 5, 6)
    assert guide.image is not None
    field = make_field(guide, 2, bilinear=bilinear, hidden=(3,), outputs=1)

    def image(parameters: Tensor, pixels: Tensor) -> Tensor:
        return render(PixelwiseField(parameters, field.mlp, 2, bilinear), Guide(None, 0, pixels))

    arguments = (field.parameters.double().requires_grad_(), guide.image.double().requires_grad_())
    assert torch.autograd.gradcheck(image, arguments)


def test_bilinear_equals_nearest_where_all_cells_agree() -> None:
    guide = label_guide(1, 12, 12)
    field = make_field(guide, 4)
    uniform = field.parameters[:, :, :1, :1].expand_as(field.parameters)
    nearest, bilinear = (render(PixelwiseField(uniform, field.mlp, 4, smooth), guide) for smooth in (False, True))
    torch.testing.assert_close(nearest, bilinear, atol=1e-5, rtol=0)


def test_code_repeats_with_the_cell_and_keeps_its_phase_far_away() -> None:
    field = make_field(label_guide(1, 8, 8), 8)
    near, far = (axis(field, first, 8, scale=1, dim=0).code for first in (0, 8 * 1_000_000))
    assert near.shape == (8, 6)
    torch.testing.assert_close(near, far, atol=0, rtol=0)


@pytest.mark.parametrize(("cell", "periods"), [(1, []), (2, [2]), (8, [8, 4, 2]), (24, [24, 12, 6, 3])])
def test_code_periods(cell: int, periods: list[float]) -> None:
    assert code_periods(cell) == periods


def test_refuses_what_does_not_fit() -> None:
    guide = label_guide(1, 16, 16)
    field = make_field(guide, 8)
    with pytest.raises(InputError, match="not one of auto, "):
        render(field, guide, engine="warp")
    with pytest.raises(InputError, match="larger than its field"):
        render(field, label_guide(1, 17, 16))
    with pytest.raises(InputError, match="the MLP reads"):
        render(field, image_guide(1, 16, 16))
    with pytest.raises(InputError, match=r"labels run from 0 to 9, expected 0\.\.3"):
        render(field, Guide(torch.full((1, 16, 16), 9).triu(), 4, None))
    with pytest.raises(InputError, match="the field is of 1 pictures, the guide of 2"):
        render(field, label_guide(2, 16, 16))
    with pytest.raises(InputError, match="the field is of 0 pictures, the guide of 0"):
        render(
            replace(field, parameters=field.parameters[:0]), Guide(torch.zeros(0, 16, 16, dtype=torch.int64), 4, None)
        )


def test_refuses_guides_that_do_not_fit_themselves() -> None:
    field = make_field(label_guide(1, 16, 16), 8)
    labels = torch.zeros(1, 16, 16, dtype=torch.int64)
    with pytest.raises(InputError, match=r"labels are \(1, 16, 16\) .*, its image \(1, 16, 8\)"):
        render(field, Guide(labels, 4, torch.zeros(1, 3, 16, 8)))
    with pytest.raises(InputError, match="odd number of pixels on a side, got 2"):
        render(field, Guide(labels, 4, None, neighbourhood=2))
    with pytest.raises(InputError, match="this one has nothing"):
        render(field, Guide(None, 4, None))
