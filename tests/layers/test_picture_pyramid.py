from itertools import pairwise

import pytest
import torch

from pixelwise.layers.pyramid import halved, pyramid


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
