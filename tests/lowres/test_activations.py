"""Statistics of cells, by which instance norms settle."""

import pytest
import torch
from torch import Tensor

from pixelwise.lowres.activations import CellMoments, Moments
from pixelwise.lowres.measured import Measured
from pixelwise.lowres.room import Room
from pixelwise.native import library

INSTRUCTION_SETS = library.instruction_sets() if library.missing() is None else ()


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (2, 5, 7, 4), (3, 300, 40, 32)])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_mean_and_variance_are_exact_even_far_from_zero(shape: tuple[int, ...], offset: float) -> None:
    cells = torch.randn(*shape, generator=torch.Generator().manual_seed(1)) + offset
    variance, mean = torch.var_mean(cells.double(), dim=(1, 2), correction=0)
    found_mean, found_variance = CellMoments(cells)()
    torch.testing.assert_close(found_mean.double(), mean, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found_variance.double(), variance, rtol=1e-5, atol=1e-6)


def test_cells_need_not_lie_side_by_side() -> None:
    cells = torch.randn(2, 9, 8, 4, generator=torch.Generator().manual_seed(2))
    part = cells[:, :7, :5]
    for found, expected in zip(CellMoments(part)(), CellMoments(part.clone())(), strict=True):
        torch.testing.assert_close(found, expected)


def measured(cells: Tensor, rows: list[int], instruction_set: str) -> Measured:
    """As a compiled convolution that makes groups of so many rows, and channels that nobody needs."""
    groups = cells.split(rows, dim=1)
    moments = [torch.var_mean(group.double(), dim=(1, 2), correction=0) for group in groups]
    counts = torch.tensor([float(group[0, ..., 0].numel()) for group in groups])
    pairs = [torch.stack([mean, variance * n], dim=1) for (variance, mean), n in zip(moments, counts, strict=True)]
    statistics = torch.cat(
        [torch.stack(pairs, dim=1).float(), torch.full((len(cells), len(rows), 2, 3), torch.nan)], -1
    )
    return Measured(statistics, counts, cells.shape[-1], Room(), instruction_set)


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize(("rows", "channels"), [([6], 16), ([4, 2], 3), ([1, 1, 2, 2], 40)])
def test_groups_of_several_sizes_together_are_the_whole(
    rows: list[int], channels: int, offset: float, instruction_set: str
) -> None:
    generator = torch.Generator().manual_seed(3)
    cells = torch.randn(2, 6, 4, channels, generator=generator) + offset
    groups = measured(cells, rows, instruction_set)
    variance, mean = torch.var_mean(cells.double(), dim=(1, 2), correction=0)
    found_mean, found_variance = groups()
    torch.testing.assert_close(found_mean, mean, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found_variance, variance, rtol=1e-3 if offset else 1e-6, atol=0)
    gain, shift = torch.randn(2, channels, generator=generator)
    for found, expected in zip(
        groups.normalising(gain, shift, 1e-5), Moments.normalising(groups, gain, shift, 1e-5), strict=True
    ):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
def test_what_is_the_same_everywhere_has_no_variance(instruction_set: str) -> None:
    gain, shift = torch.tensor([2.0]), torch.tensor([1.0])
    # Numbers near 3000 cancel, which float32 rounds by 1e-4.
    scale, moved = measured(torch.full((1, 3, 3, 1), 5.0), [3], instruction_set).normalising(gain, shift, 1e-5)
    torch.testing.assert_close(scale, torch.tensor([[2e5**0.5 * 2**0.5]]))
    torch.testing.assert_close(scale * 5 + moved, torch.tensor([[1.0]]), rtol=0, atol=1e-3)
