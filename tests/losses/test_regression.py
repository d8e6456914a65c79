from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise.errors import InputError
from pixelwise.losses.regression import field_decay, kl_divergence, l1, l2

GOLDEN = Path(__file__).parents[1] / "golden"


def test_kl_divergence_agrees_with_the_original() -> None:
    with np.load(GOLDEN / "losses.npz") as file:
        mean, log_variance, expected, weighted = (
            torch.from_numpy(file[key]) for key in ("in/mu", "in/logvar", "out/kld", "out/kld_lambda0.05")
        )
    found = kl_divergence(mean, log_variance)
    torch.testing.assert_close(found, expected.squeeze(), rtol=0, atol=1e-5)
    torch.testing.assert_close(0.05 * found, weighted.squeeze(), rtol=0, atol=1e-5)


def test_kl_divergence_is_that_of_normal_distributions() -> None:
    mean, log_variance = torch.randn(3, 5), torch.randn(3, 5)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)


def test_l1_and_l2_are_means() -> None:
    image, target = torch.tensor([1.0, -1.0, 0.5, 0.0]), torch.tensor([0.0, 1.0, 0.5, 0.0])
    assert l1(image, target).item() == 0.75
    assert l2(image, target).item() == 1.25


@pytest.mark.parametrize("loss", [l1, l2])
def test_tensors_that_would_broadcast_are_refused(loss) -> None:
    with pytest.raises(InputError, match=r"\(2, 3, 4, 4\), target is \(2, 1, 4, 4\)"):
        loss(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4))


def test_field_decay_is_the_mean_square() -> None:
    assert field_decay(torch.tensor([[[[1.0, 3.0]]]])).item() == 5.0
