"""Statistics of cells, by which instance norms settle."""

import pytest
import torch

from pixelwise.lowres.activations import moments, moments_of


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (2, 5, 7, 4), (3, 300, 40, 32)])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_mean_and_variance_are_exact_even_far_from_zero(shape: tuple[int, ...], offset: float) -> None:
    cells = torch.randn(*shape, generator=torch.Generator().manual_seed(1)) + offset
    variance, mean = torch.var_mean(cells.double(), dim=(1, 2), correction=0)
    found_mean, found_variance = moments_of(cells)
    torch.testing.assert_close(found_mean.double(), mean, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found_variance.double(), variance, rtol=1e-5, atol=1e-6)


def test_cells_need_not_lie_side_by_side() -> None:
    cells = torch.randn(2, 9, 8, 4, generator=torch.Generator().manual_seed(2))
    part = cells[:, :7, :5]
    for found, expected in zip(moments_of(part), moments_of(part.clone()), strict=True):
        torch.testing.assert_close(found, expected)


def test_groups_of_several_sizes_together_are_the_whole() -> None:
    cells = torch.randn(1, 6, 4, 3, generator=torch.Generator().manual_seed(3)) + 5
    groups = [cells[:, :4], cells[:, 4:]]
    statistics = torch.stack(
        [
            torch.stack([mean, variance * group[..., 0].numel()], 1)
            for group in groups
            for mean, variance in [moments_of(group)]
        ],
        dim=1,
    )
    counts = torch.tensor([float(group[..., 0].numel()) for group in groups])
    for found, expected in zip(moments(statistics, counts), moments_of(cells), strict=True):
        torch.testing.assert_close(found, expected)
