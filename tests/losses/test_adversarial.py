from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise.losses.adversarial import (
    ADVERSARIAL,
    CROSS_ENTROPY,
    HINGE,
    LEAST_SQUARES,
    WASSERSTEIN,
    AdversarialLoss,
    mean_over_scales,
)

GOLDEN = Path(__file__).parents[1] / "golden"

PUBLISHED = {"hinge": HINGE, "ls": LEAST_SQUARES, "original": CROSS_ENTROPY, "w": WASSERSTEIN}

Arrays = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    with np.load(GOLDEN / "losses.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}


def outputs(arrays: Arrays, kind: str) -> list[list[torch.Tensor]]:
    return [[arrays[f"in/{kind}_{scale}_{layer}"] for layer in range(3)] for scale in range(2)]


def assert_agree(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert found.shape == ()
    torch.testing.assert_close(found, expected.squeeze(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", PUBLISHED)
def test_generator_agrees_with_the_original(name: str, arrays: Arrays) -> None:
    assert_agree(PUBLISHED[name].generator(outputs(arrays, "fake")), arrays[f"out/{name}_G"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_discriminator_agrees_with_the_original(name: str, arrays: Arrays) -> None:
    loss, fake, real = PUBLISHED[name], outputs(arrays, "fake"), outputs(arrays, "real")
    assert_agree(mean_over_scales(loss.on_fake, fake), arrays[f"out/{name}_D_fake"])
    assert_agree(mean_over_scales(loss.on_real, real), arrays[f"out/{name}_D_real"])
    assert_agree(loss.discriminator(fake, real), arrays[f"out/{name}_D_fake"] + arrays[f"out/{name}_D_real"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_single_prediction_agrees_with_the_original(name: str, arrays: Arrays) -> None:
    prediction = outputs(arrays, "real")[0][-1]
    assert_agree(PUBLISHED[name].on_real(prediction), arrays[f"out/{name}_single_D_real"])


def test_hinge_is_flat_beyond_the_margin() -> None:
    prediction = torch.tensor([-2.0, -0.5, 2.0], requires_grad=True)
    HINGE.on_real(prediction).backward()
    assert prediction.grad is not None
    assert prediction.grad.tolist() == pytest.approx([-1 / 3, -1 / 3, 0])


def test_scales_count_alike_whatever_their_size() -> None:
    scales = [[torch.full((1, 1, 8, 8), 1.0)], [torch.full((1, 1, 2, 2), 3.0)]]
    assert WASSERSTEIN.generator(scales).item() == -2.0


@pytest.mark.parametrize("loss", ADVERSARIAL.values(), ids=list(ADVERSARIAL))
def test_generator_wants_higher_predictions_and_discriminator_lower(loss: AdversarialLoss) -> None:
    prediction = torch.zeros(1, 1, 2, 2, requires_grad=True)
    (up,) = torch.autograd.grad(loss.generator([[prediction]]), prediction)
    (down,) = torch.autograd.grad(mean_over_scales(loss.on_fake, [[prediction]]), prediction)
    (real,) = torch.autograd.grad(mean_over_scales(loss.on_real, [[prediction]]), prediction)
    assert (up < 0).all()
    assert (real < 0).all()
    # Least squares has reached its goal for fakes at 0.
    assert (down >= 0).all() if loss is LEAST_SQUARES else (down > 0).all()
