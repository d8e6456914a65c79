"""Cross-entropy against values that were reckoned by hand."""

from __future__ import annotations

import math

import pytest
import torch

from pixelwise.errors import InputError
from pixelwise.losses.classification import cross_entropy


def logits(*rows: tuple[float, ...]) -> torch.Tensor:
    """One pixel a row, 1 C 1 N."""
    return torch.tensor(rows).log().T[None, :, None]


def test_the_mean_over_pixels_that_have_a_class() -> None:
    found = logits((0.5, 0.25, 0.25), (0.1, 0.8, 0.1), (0.9, 0.05, 0.05))
    labels = torch.tensor([[[0, 2, 3]]], dtype=torch.int32)
    expected = -(math.log(0.5) + math.log(0.1)) / 2
    assert cross_entropy(found, labels).item() == pytest.approx(expected)
    found[..., 2] = 1000.0
    assert cross_entropy(found, labels).item() == pytest.approx(expected)


def test_nobody_s_pixels_alone_cost_nothing() -> None:
    found = torch.zeros(2, 4, 3, 3, requires_grad=True)
    loss = cross_entropy(found, torch.full((2, 3, 3), 4))
    loss.backward()
    assert loss.item() == 0
    assert found.grad is not None
    assert found.grad.abs().max() == 0


@pytest.mark.parametrize("labels", [torch.zeros(1, 3, 4), torch.zeros(1, 4, 3, dtype=torch.int32)])
def test_what_is_no_label_map_of_that_size_is_refused(labels: torch.Tensor) -> None:
    with pytest.raises(InputError, match="expected class indices of the same height and width"):
        cross_entropy(torch.zeros(1, 5, 3, 4), labels)


def test_portions_weigh_by_their_pixels_that_have_a_class() -> None:
    found = torch.randn(2, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[[0, 1], [2, 0]], [[3, 3], [3, 1]]])
    share = torch.tensor((4 + 1) / 2)
    parts = [cross_entropy(found[place], labels[place], share) for place in (slice(0, 1), slice(1, 2))]
    torch.testing.assert_close(sum(parts) / 2, cross_entropy(found, labels))
    assert cross_entropy(found, torch.full((2, 2, 2), 3), torch.tensor(0.0)) == 0
