from itertools import pairwise

import pytest
import torch

from pixelwise.layers.pyramid import filled_pyramid, halved, pyramid


def test_each_level_is_half_of_the_one_before() -> None:
    planes = torch.randn(2, 3, 13, 8)
    levels = pyramid(planes, 4)
    assert torch.equal(levels[0], planes)
    assert [tuple(level.shape[-2:]) for level in levels] == [(13, 8), (7, 4), (4, 2), (2, 1)]
    for finer, coarser in pairwise(levels):
        assert torch.equal(coarser, halved(finer))


def test_places_at_an_odd_border_are_means_over_what_is_there() -> None:
    planes = torch.tensor([[[[1.0, 3.0, 10.0], [5.0, 7.0, 20.0], [6.0, 8.0, 30.0]]]])
    assert halved(planes).tolist() == [[[[4.0, 15.0], [7.0, 30.0]]]]


@pytest.mark.parametrize("size", [(1, 1), (1, 5)])
def test_single_rows_stay(size: tuple[int, int]) -> None:
    assert halved(torch.ones(1, 1, *size)).tolist() == [[[[1.0] * -(-size[1] // 2)]]]


def test_holes_are_filled_at_each_size_by_what_was_made_there() -> None:
    """Of 4 x 4 pixels the left half was measured, and one pixel of the right one."""
    valid = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    valid[..., :2] = True
    valid[..., 0, 3] = True
    target = torch.where(valid, torch.rand(2, 3, 4, 4), torch.nan)
    pictures = [torch.randn(2, 3, side, side, requires_grad=True) for side in (4, 2, 1)]
    filled = filled_pyramid(target, valid, pictures)
    torch.testing.assert_close(filled[0], torch.where(valid, target, pictures[0].detach()), rtol=0, atol=0)
    torch.testing.assert_close(filled[1][..., 0], halved(target)[..., 0])
    torch.testing.assert_close(filled[1][..., 1, 1], pictures[1][..., 1, 1].detach())
    torch.testing.assert_close(filled[1][..., 0, 1], target[..., 0, 3] / 4 + 0.75 * pictures[1][..., 0, 1].detach())
    measured = target.nan_to_num().sum((2, 3), keepdim=True)
    torch.testing.assert_close(filled[2], measured / 16 + 7 / 16 * pictures[2].detach())
    assert not any(level.requires_grad for level in filled)


def test_without_holes_no_picture_is_looked_at() -> None:
    target = torch.rand(1, 3, 5, 5)
    filled = filled_pyramid(target, None, [torch.full((1, 3, side, side), torch.nan) for side in (5, 3)])
    assert all(map(torch.equal, filled, pyramid(target, 2)))
