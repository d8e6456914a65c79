import torch
from torch import nn

from pixelwise.layers.residual import (
    NORMS,
    Normalisation,
    ResidualBlock,
    ResidualTrunk,
    first_convolution,
    to_picture,
)

INSTANCE = Normalisation(NORMS["instance"], bias=True)


@torch.no_grad()
def test_a_block_adds_to_what_it_reads() -> None:
    block = ResidualBlock(3, Normalisation(lambda _: nn.Identity(), bias=True))
    x = torch.randn(1, 3, 5, 4)
    assert not torch.equal(block(x), x)
    for weight in block.parameters():
        weight.zero_()
    assert torch.equal(block(x), x)


def test_noise_stands_between_the_convolutions() -> None:
    kinds = [type(layer) for layer in ResidualBlock(3, INSTANCE, nn.Dropout).body]
    assert kinds.index(nn.Dropout) == kinds.index(nn.ReLU) + 1
    assert nn.Dropout not in [type(layer) for layer in ResidualBlock(3, INSTANCE).body]


@torch.no_grad()
def test_a_trunk_keeps_the_size_and_adds_features_where_it_is_smallest() -> None:
    trunk = ResidualTrunk(first_convolution(5, 4, INSTANCE), 4, 2, 1, INSTANCE)
    x = torch.randn(2, 5, 16, 24)
    assert trunk.down(trunk.entry(x)).shape == (2, 16, 4, 6)
    assert trunk(x).shape == (2, 4, 16, 24)
    assert torch.equal(trunk(x, torch.zeros(2, 16, 4, 6)), trunk(x))
    assert not torch.equal(trunk(x, torch.randn(2, 16, 4, 6)), trunk(x))


def test_biases_are_there_only_where_they_are_wanted() -> None:
    batch = Normalisation(NORMS["batch"], bias=False)
    trunk = ResidualTrunk(first_convolution(5, 4, batch), 4, 1, 1, batch)
    assert [layer.bias for layer in trunk.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)] == [None] * 5


@torch.no_grad()
def test_pictures_lie_within_one() -> None:
    picture = to_picture(4, 2)(100 * torch.randn(1, 4, 6, 7))
    assert picture.shape == (1, 2, 6, 7)
    assert picture.abs().max() <= 1
