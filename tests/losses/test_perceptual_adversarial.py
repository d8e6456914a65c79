import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.losses.adversarial import LayerOutputs
from pixelwise.losses.perceptual_adversarial import PerceptualAdversarialLoss

LOSS = PerceptualAdversarialLoss(layer_weights=(2.0, 0.5), margin=8.0)


def outputs(first: Tensor | float, second: Tensor | float, num_scales: int = 1) -> LayerOutputs:
    """Two hidden layers, all of one value, and a prediction, which must not count."""
    scale = [torch.ones(2, 3, 4, 4) * first, torch.ones(2, 6, 2, 2) * second, torch.rand(2, 1, 2, 2)]
    return [scale] * num_scales


@pytest.mark.parametrize("num_scales", [1, 3])
def test_the_distance_weighs_layers_and_averages_scales(num_scales: int) -> None:
    fake, real = outputs(1.0, 4.0, num_scales), outputs(-2.0, 5.0, num_scales)
    assert LOSS.distance(fake, real).item() == pytest.approx(2.0 * 3 + 0.5 * 1)
    assert LOSS.distance(real, fake).item() == pytest.approx(6.5)


@pytest.mark.parametrize(("first", "lacking"), [(0.0, 8.0), (3.0, 2.0), (4.0, 0.0), (50.0, 0.0)])
def test_the_shortfall_ends_at_the_margin(first: float, lacking: float) -> None:
    assert LOSS.shortfall(outputs(first, 0.0), outputs(0.0, 0.0)).item() == pytest.approx(lacking)


def test_within_the_margin_both_features_are_pushed_apart_and_beyond_it_neither() -> None:
    """The generator pulls at both sides of it."""
    for value, push in ((3.0, -2.0), (5.0, 0.0)):
        fake, real = torch.tensor(value, requires_grad=True), torch.tensor(0.0, requires_grad=True)
        LOSS.shortfall(outputs(fake, 0.0), outputs(real, 0.0)).backward()
        assert fake.grad is not None
        assert real.grad is not None
        assert (fake.grad.item(), real.grad.item()) == pytest.approx((push, -push))
        pulled = torch.tensor(value, requires_grad=True)
        LOSS.distance(outputs(pulled, 0.0), outputs(0.0, 0.0)).backward()
        assert pulled.grad is not None
        assert pulled.grad.item() == pytest.approx(2.0)


def test_other_layers_than_there_are_weights_for_are_refused() -> None:
    with pytest.raises(InputError, match=r"has 2 layer_weights, the discriminator \[1\] hidden layers"):
        LOSS.distance([outputs(0.0, 0.0)[0][1:]], [outputs(0.0, 0.0)[0][1:]])


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1.0, -1.0), (float("inf"),), (float("nan"), 1.0)])
def test_impossible_weights_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="finite weights of at least 0, and one above"):
        PerceptualAdversarialLoss(weights, margin=1.0)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_margins_are_refused(margin: float) -> None:
    with pytest.raises(InputError, match="expected a finite number above 0"):
        PerceptualAdversarialLoss((1.0,), margin)
