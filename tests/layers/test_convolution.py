import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pixelwise.layers.convolution import SpectralConv2d, init_gaussian_weights, init_weights, spectral_layer


@pytest.fixture
def conv() -> SpectralConv2d:
    torch.manual_seed(0)
    return SpectralConv2d(3, 6, kernel_size=4, stride=2, padding=2)


def largest_singular_value(weight: torch.Tensor) -> torch.Tensor:
    return torch.linalg.matrix_norm(weight.flatten(1), ord=2)


def test_state_dict_has_the_published_names(conv: SpectralConv2d) -> None:
    shapes = {name: tuple(value.shape) for name, value in conv.state_dict().items()}
    assert shapes == {"weight_orig": (6, 3, 4, 4), "bias": (6,), "weight_u": (6,), "weight_v": (48,)}
    assert [name for name, _ in conv.named_parameters()] == ["weight_orig", "bias"]


def test_no_bias_without_bias() -> None:
    assert "bias" not in SpectralConv2d(3, 6, 4, bias=False).state_dict()


def test_iterations_converge_to_the_largest_singular_value(conv: SpectralConv2d) -> None:
    x = torch.randn(2, 3, 9, 11)
    for _ in range(200):
        conv(x)
    conv.eval()
    normed = conv.weight_orig / largest_singular_value(conv.weight_orig)
    torch.testing.assert_close(conv(x), F.conv2d(x, normed, conv.bias, stride=2, padding=2))


def test_eval_uses_the_stored_vectors_and_leaves_them(conv: SpectralConv2d) -> None:
    conv.eval()
    before = {name: value.clone() for name, value in conv.state_dict().items()}
    x = torch.randn(1, 3, 8, 8)
    sigma = before["weight_u"] @ before["weight_orig"].flatten(1) @ before["weight_v"]
    expected = F.conv2d(x, before["weight_orig"] / sigma, before["bias"], stride=2, padding=2)
    torch.testing.assert_close(conv(x), expected)
    torch.testing.assert_close(conv.state_dict(), before, rtol=0, atol=0)


def test_gradient_flows_through_sigma_but_not_into_the_vectors(conv: SpectralConv2d) -> None:
    conv = conv.double().eval()
    x = torch.randn(1, 3, 6, 6, dtype=torch.float64)

    def output(weight: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(conv, {"weight_orig": weight}, (x,))

    assert torch.autograd.gradcheck(output, conv.weight_orig.detach().requires_grad_())
    assert not conv.weight_u.requires_grad
    assert not conv.weight_v.requires_grad


def test_two_forwards_before_one_backward(conv: SpectralConv2d) -> None:
    x = torch.randn(2, 3, 8, 8)
    (conv(x).mean() + conv(x + 1).mean()).backward()
    assert conv.weight_orig.grad is not None
    assert conv.weight_orig.grad.isfinite().all()


def test_norm_stays_in_full_precision_under_autocast(conv: SpectralConv2d) -> None:
    twin = SpectralConv2d(3, 6, kernel_size=4, stride=2, padding=2)
    twin.load_state_dict(conv.state_dict())
    x = torch.randn(1, 3, 8, 8)
    conv(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert twin(x).dtype == torch.bfloat16
    torch.testing.assert_close(twin.weight_u, conv.weight_u, rtol=0, atol=0)
    torch.testing.assert_close(twin.weight_v, conv.weight_v, rtol=0, atol=0)


def test_init_weights_reaches_every_convolution_and_no_norm() -> None:
    net = nn.Sequential(nn.Conv2d(64, 64, 3), SpectralConv2d(64, 64, 3), nn.BatchNorm2d(64), nn.Linear(576, 576))
    init_weights(net, gain=0.5)
    for weight in (net[0].weight, net[1].weight_orig, net[3].weight):
        expected = 0.5 * (2 / (2 * 576)) ** 0.5
        assert weight.std().item() == pytest.approx(expected, rel=0.03)
    assert all(not layer.bias.any() for layer in (net[0], net[1], net[3]))
    assert (net[2].weight == 1).all()


def test_init_weights_repeats_with_the_generator_only() -> None:
    first, second, third = (nn.Conv2d(2, 2, 3) for _ in range(3))
    init_weights(first, generator=torch.Generator().manual_seed(5))
    init_weights(second, generator=torch.Generator().manual_seed(5))
    init_weights(third, generator=torch.Generator().manual_seed(6))
    assert torch.equal(first.weight, second.weight)
    assert not torch.equal(first.weight, third.weight)


def test_init_gaussian_weights_reaches_every_convolution_and_no_norm() -> None:
    net = nn.Sequential(
        nn.Conv2d(64, 64, 3), SpectralConv2d(64, 64, 3), nn.BatchNorm2d(64), nn.ConvTranspose2d(64, 64, 3)
    )
    init_gaussian_weights(net, deviation=0.5)
    for weight in (net[0].weight, net[1].weight_orig, net[3].weight):
        assert weight.std().item() == pytest.approx(0.5, rel=0.03)
    assert all(not layer.bias.any() for layer in (net[0], net[1], net[3]))
    assert (net[2].weight == 1).all()


def test_a_spectral_layer_normalises_and_rectifies_and_halves_odd_sizes_upwards() -> None:
    torch.manual_seed(0)
    layer = spectral_layer(3, 8, 3, nn.InstanceNorm2d, stride=2)
    output = layer(torch.randn(2, 3, 9, 14))
    assert output.shape == (2, 8, 5, 7)
    normalised = torch.where(output < 0, output / 0.2, output)
    torch.testing.assert_close(normalised.mean(dim=(2, 3)), torch.zeros(2, 8), atol=1e-5, rtol=0)
    assert sum(weight.numel() for weight in layer.parameters()) == 8 * 3 * 9
