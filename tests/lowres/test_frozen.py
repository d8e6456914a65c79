"""Frozen networks keep the statistics of one input, and give a part of another what they give it within the whole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pixelwise.lowres.blocks import Block, Blocks
from pixelwise.lowres.frozen import freeze
from pixelwise.lowres.reference import ConvolutionBlock, SeparableBlock, StreamConfig
from pixelwise.native import library

CONFIG = StreamConfig(
    channels=20, reduction=1, strided_reduction=1, width=20, max_width=20, num_blocks=2, separable_blocks=False,
    padding="zeros", norm="instance", num_parameters=1,
)  # fmt: skip


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(ConvolutionBlock(20, 20, CONFIG), ConvolutionBlock(20, 20, CONFIG)).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0.1, 0.3)
    return network


@pytest.fixture
def x() -> Tensor:
    return torch.randn(1, 20, 9, 13, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_on_its_own_input_a_frozen_network_is_what_it_was(network: nn.Sequential, x: Tensor) -> None:
    frozen, output = freeze(network, x)
    torch.testing.assert_close(output, network(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(frozen(x), output, rtol=0, atol=0)


@torch.no_grad()
def test_a_frozen_network_is_local(network: nn.Sequential, x: Tensor) -> None:
    frozen, output = freeze(network, x)
    changed = x.clone()
    changed[..., 4:5, 6:7] += 5
    difference = (frozen(changed) - output).abs().amax(1)[0]
    assert float(difference[2:7, 4:9].max()) > 0.1
    difference[2:7, 4:9] = 0
    assert float(difference.max()) < 1e-6
    assert float((network(changed) - network(x)).abs()[..., :2].max()) > 1e-3


def test_weights_are_shared_and_the_network_stays_as_it_is(network: nn.Sequential, x: Tensor) -> None:
    frozen, _ = freeze(network, x)
    assert {id(parameter) for parameter in frozen.parameters()} == {id(parameter) for parameter in network.parameters()}
    assert not any(isinstance(module, nn.InstanceNorm2d) for module in frozen.modules())
    assert isinstance(network[0][1], nn.InstanceNorm2d)


@torch.no_grad()
def test_separable_blocks_are_frozen_too(x: Tensor) -> None:
    block = SeparableBlock(20, 20, CONFIG).eval()
    frozen, output = freeze(block, x)
    torch.testing.assert_close(output, block(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(frozen(x[..., :7])[..., :6], output[..., :6], rtol=0, atol=1e-6)


@pytest.mark.skipif(library.missing() is not None, reason="compiled kernels")
@torch.no_grad()
def test_compiled_blocks_are_frozen_as_their_definition(network: nn.Sequential, x: Tensor) -> None:
    blocks = Blocks([Block.of(block.convolution, block.norm) for block in network])  # type: ignore[union-attr, arg-type]
    frozen, (definition, _) = blocks.frozen(x), freeze(network, x)
    other = x * 2 + 1
    torch.testing.assert_close(frozen(x), blocks(x), rtol=0, atol=0)
    torch.testing.assert_close(frozen(other), definition(other), rtol=0, atol=1e-4)
    assert float((blocks(other) - frozen(other)).abs().max()) > 0.1
    torch.testing.assert_close(frozen(other[..., 4:])[..., 4:], frozen(other)[..., 8:], rtol=0, atol=1e-5)
