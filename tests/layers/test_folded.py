import torch
from torch import nn

from pixelwise.layers.convolution import SpectralConv2d
from pixelwise.layers.folded import folded


def test_folded_networks_do_the_same_without_the_division() -> None:
    network = nn.Sequential(
        SpectralConv2d(4, 6, 3, stride=2, padding=1, groups=2),
        nn.Sequential(nn.BatchNorm2d(6), SpectralConv2d(6, 2, 1, bias=False)),
    ).eval()
    ready, x = folded(network), torch.randn(2, 4, 9, 7)
    torch.testing.assert_close(ready(x), network(x))
    assert not any(isinstance(part, SpectralConv2d) for part in ready.modules())
    assert any(isinstance(part, SpectralConv2d) for part in network.modules())
    assert ready[1][0] is not network[1][0]
    assert ready[1][0].running_mean is network[1][0].running_mean
