import pytest
import torch

from pixelwise.losses.diversity import best_of


def test_each_region_has_its_own_best() -> None:
    losses = torch.tensor([[[1.0, 5.0], [6.0, 2.0]], [[3.0, 3.0], [9.0, 9.0]]])
    best, mean = ((1 + 2) + (3 + 3)) / 2, ((3.5 + 3.5) + (6 + 6)) / 2
    assert best_of(losses).item() == pytest.approx(0.999 * best + 0.001 * mean)


def test_one_picture_is_the_best() -> None:
    losses = torch.rand(3, 1, 4)
    torch.testing.assert_close(best_of(losses), losses.sum(dim=2).mean())


def test_the_best_learns_and_the_others_hardly() -> None:
    losses = torch.tensor([[[1.0], [2.0], [3.0]]], requires_grad=True)
    best_of(losses).backward()
    assert losses.grad is not None
    torch.testing.assert_close(losses.grad.flatten(), torch.tensor([0.999, 0, 0]) + 0.001 / 3)
