"""Compiled convolutions of stride 2, with their norm and ReLU, against torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pixelwise.lowres.blocks import Block, Blocks
from pixelwise.native import library

INSTRUCTION_SETS = library.instruction_sets() if library.missing() is None else ()
PADDINGS = ("zeros", "reflect", "replicate")
NORMS = {"instance": lambda width: nn.InstanceNorm2d(width, affine=True), "batch": nn.BatchNorm2d, "none": nn.Identity}


@pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")
@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("size", [(16, 24), (7, 9), (4, 3), (33, 5), (9, 53)])
@torch.no_grad()
def test_agrees_with_torch(instruction_set: str, padding: str, norm: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layers: list[nn.Sequential] = []
    for inputs, outputs in ((7, 48), (48, 128)):
        convolution = nn.Conv2d(inputs, outputs, 3, 2, 1, padding_mode=padding, bias=norm == "none")
        layers.append(nn.Sequential(convolution, NORMS[norm](outputs), nn.ReLU()))
    first = layers[0]
    first(torch.randn(2, 7, *size))  # a batch norm has something to remember
    first.eval()
    x = torch.randn(2, 7, *size)
    poison = torch.full((1 << 18,), torch.nan)
    del poison
    made = Blocks([Block.of(first[0], first[1])], instruction_set=instruction_set)(x)
    torch.testing.assert_close(made, first(x), atol=1e-5 if norm != "instance" else 1e-4, rtol=0)
    if min(made.shape[-2:]) > 2:  # torch refuses an instance norm over a single place
        second = layers[1].eval()
        both = Blocks([Block.of(first[0], first[1]), Block.of(second[0], second[1])], instruction_set=instruction_set)
        torch.testing.assert_close(both(x), second(first(x)), atol=1e-4, rtol=0)
