"""Every convolution of the stream, on bands of rows, against itself on the whole picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.activations import Activations
from pixelwise.lowres.band import Band, rows_convolved
from pixelwise.lowres.blocks import Convolution
from pixelwise.lowres.plain import PlainConvolution
from pixelwise.lowres.room import Room
from pixelwise.lowres.strided import StridedConvolution
from pixelwise.lowres.torch_winograd import TorchConvolution
from pixelwise.lowres.winograd import WinogradConvolution
from pixelwise.native import library

CHANNELS, OUTPUTS = 32, 32

Make = Callable[[Tensor, str], Convolution]

CONVOLUTIONS: dict[str, tuple[int, Make]] = {
    "torch": (1, TorchConvolution),
    "plain": (1, lambda weight, padding: PlainConvolution([weight], padding, 1)),
    "plain, strided": (2, lambda weight, padding: PlainConvolution([weight], padding, 2)),
}
if library.missing() is None:
    for name in library.instruction_sets():
        CONVOLUTIONS[name] = (1, partial(WinogradConvolution, instruction_set=name))
        CONVOLUTIONS[f"{name}, strided"] = (2, partial(StridedConvolution, instruction_set=name))


def activations(height: int, width: int) -> Activations:
    return Activations(
        torch.randn(1, height, width, CHANNELS), torch.rand(1, CHANNELS) + 0.5, torch.randn(1, CHANNELS), 0.0
    )


def convolution(name: str, padding: str) -> tuple[int, Convolution]:
    torch.manual_seed(0)
    stride, make = CONVOLUTIONS[name]
    return stride, make(torch.randn(OUTPUTS, CHANNELS, 3, 3) / 17, padding)


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("height", [17, 16])
@torch.no_grad()
def test_bands_are_rows_of_the_whole(name: str, padding: str, height: int) -> None:
    stride, convolve = convolution(name, padding)
    x = activations(height, 11)
    whole = convolve(x, Room()).cells
    for first, last in ((0, 1), (0, 4), (1, 6), (4, 8), (6, whole.shape[1]), (0, whole.shape[1])):
        read = rows_convolved(range(first, last), stride, height)
        part = Activations(x.cells[:, read.start : read.stop], x.scale, x.shift, x.least)
        made = convolve(part, Room(), Band(range(first, last), read.start, height))
        torch.testing.assert_close(made.cells, whole[:, first:last], rtol=0, atol=1e-5)
        mean, variance = (part.float() for part in made.moments())
        torch.testing.assert_close(mean, whole[:, first:last].mean((1, 2)), rtol=0, atol=1e-5)
        torch.testing.assert_close(variance, whole[:, first:last].var((1, 2), correction=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize(
    "band",
    [Band(range(3), 1, 8), Band(range(2, 4), 4, 20), Band(range(7, 9), 4, 20), Band(range(1, 1), 0, 8)],
    ids=["above", "before", "behind", "empty"],
)
@torch.no_grad()
def test_rows_that_are_not_at_hand(name: str, band: Band) -> None:
    _, convolve = convolution(name, "zeros")
    with pytest.raises(InputError, match="cannot make the rows"):
        convolve(activations(5, 6), Room(), band)


@pytest.mark.parametrize("name", CONVOLUTIONS)
@torch.no_grad()
def test_a_part_of_several_pictures(name: str) -> None:
    _, convolve = convolution(name, "zeros")
    x = activations(6, 6)
    pictures = Activations(*(part.repeat(2, *[1] * (part.dim() - 1)) for part in (x.cells, x.scale, x.shift)), x.least)
    with pytest.raises(InputError, match="of 2 x the rows"):
        convolve(pictures, Room(), Band(range(1), 0, 6))
