from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise.errors import InputError
from pixelwise.losses.feature_matching import feature_matching

GOLDEN = Path(__file__).parents[1] / "golden"


def test_agrees_with_the_original() -> None:
    with np.load(GOLDEN / "losses.npz") as file:
        fake, real = (
            [[torch.from_numpy(file[f"in/{kind}_{scale}_{layer}"]) for layer in range(3)] for scale in range(2)]
            for kind in ("fake", "real")
        )
        expected = torch.from_numpy(file["out/feat_match_lambda10"]).squeeze()
    torch.testing.assert_close(10 * feature_matching(fake, real), expected, rtol=0, atol=1e-5)


def test_sums_layers_averages_scales_and_skips_predictions() -> None:
    one, two, prediction = torch.full((1, 2, 4, 4), 1.0), torch.full((1, 4, 2, 2), 2.0), torch.full((1, 1, 2, 2), 99.0)
    zeros = [torch.zeros_like(one), torch.zeros_like(two), torch.zeros_like(prediction)]
    assert feature_matching([[one, two, prediction]] * 2, [zeros] * 2).item() == 3.0


def test_no_gradient_flows_into_the_real_features() -> None:
    fake, real = (torch.randn(1, 2, 4, 4, requires_grad=True) for _ in range(2))
    feature_matching([[fake, fake]], [[real, real]]).backward()
    assert fake.grad is not None
    assert real.grad is None


def test_no_features_no_loss() -> None:
    assert feature_matching([[torch.ones(1, 1, 2, 2)]], [[torch.zeros(1, 1, 2, 2)]]).item() == 0.0


def test_another_batch_size_is_refused() -> None:
    with pytest.raises(InputError, match="expected equal shapes"):
        feature_matching([[torch.zeros(4, 2, 3, 3)] * 2], [[torch.zeros(1, 2, 3, 3)] * 2])
