"""The 1 x 1 convolution to parameters, compiled for every instruction set and by torch, against float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.parameters import ParameterLayer
from pixelwise.lowres.spare_memory import SpareMemory
from pixelwise.native import library

ENGINES = [False, *([] if library.missing() else library.instruction_sets())]
"""False for torch, or an instruction set."""


@pytest.fixture(autouse=True)
def _one_thread():
    num_threads = torch.get_num_threads()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(autouse=True)
def _poisoned():
    """New memory holds NaN, as torch has it in this mode, so that what is not written shows up."""
    torch.use_deterministic_algorithms(True)
    assert torch.empty(1).isnan()
    assert SpareMemory().tensor(1).isnan()
    yield
    torch.use_deterministic_algorithms(False)


def _weights(num_parameters: int, channels: int) -> tuple[Tensor, Tensor, Tensor]:
    weight = torch.randn(num_parameters, channels, 1, 1) / channels**0.5
    return weight, torch.randn(num_parameters), torch.rand(num_parameters, 1, 1) + 0.5


def _by_definition(weights: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    weight, bias, scale = (tensor.double() for tensor in weights)
    return F.conv2d(x.double(), weight, bias) * scale


def _built(weights: tuple[Tensor, Tensor, Tensor], engine: str | bool) -> ParameterLayer:
    return ParameterLayer(*weights, native=bool(engine), instruction_set=engine or None)


def _assert_close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual.double(), expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("channels", [1, 7, 48, 300])
@pytest.mark.parametrize("num_parameters", [1, 16, 33, 100])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (8, 8)])
def test_all(engine, channels, num_parameters, size):
    weights, x = _weights(num_parameters, channels), torch.randn(2, channels, *size)
    _assert_close(_built(weights, engine)(x), _by_definition(weights, x))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cells_parameters_are_contiguous(engine):
    made = _built(_weights(33, 20), engine)(torch.randn(2, 20, 3, 4).requires_grad_())
    assert made.shape == (2, 33, 3, 4)
    assert made.permute(0, 2, 3, 1).is_contiguous()
    assert not made.requires_grad


@pytest.mark.parametrize("engine", ENGINES)
def test_input_in_any_layout(engine):
    weights, x = _weights(33, 20), torch.randn(2, 20, 6, 5)
    layer, expected = _built(weights, engine), _by_definition(weights, x)
    _assert_close(layer(x.contiguous(memory_format=torch.channels_last)), expected)
    _assert_close(layer(x.flip(2).flip(2)[:, :, 1:, ::2]), expected[:, :, 1:, ::2])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_others_than_the_needed_are_zero(engine, share):
    weights, x = _weights(100, 20), torch.randn(2, 20, 5, 7)
    needed = torch.rand(100) < share
    made = _built(weights, engine)(x, needed)
    _assert_close(made, _by_definition(weights, x) * needed[:, None, None])
    assert not made[:, ~needed].any()


@pytest.mark.parametrize("engine", ENGINES)
def test_whole_panels_that_are_not_needed_are_zero(engine):
    weights, x, needed = _weights(600, 20), torch.randn(1, 20, 3, 5), torch.ones(600, dtype=torch.bool)
    needed[256:512] = False
    made = _built(weights, engine)(x, needed)
    _assert_close(made, _by_definition(weights, x) * needed[:, None, None])
    assert not made[:, ~needed].any()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cells", [(0, 0, 6, 9), (1, 2, 3, 4), (5, 8, 1, 1), (0, 3, 6, 5)])
def test_a_rectangle_of_cells(engine, cells):
    weights, x = _weights(40, 20), torch.randn(2, 20, 6, 9)
    top, left, height, width = cells
    expected = _by_definition(weights, x)[:, :, top : top + height, left : left + width]
    _assert_close(_built(weights, engine)(x, cells=cells), expected)
    needed = torch.arange(40) % 3 == 0
    _assert_close(_built(weights, engine)(x, needed, cells), expected * needed[:, None, None])


@pytest.mark.parametrize("engine", ENGINES)
def test_without_scale(engine):
    weight, bias, _ = _weights(40, 20)
    x = torch.randn(1, 20, 4, 4)
    layer = ParameterLayer(weight, bias, native=bool(engine), instruction_set=engine or None)
    _assert_close(layer(x), F.conv2d(x.double(), weight.double(), bias.double()))


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_give_the_same_numbers(engine):
    layer, x = _built(_weights(500, 20), engine), torch.randn(1, 20, 9, 9)
    alone = layer(x)
    torch.set_num_threads(3)
    _assert_close(layer(x), alone.double())


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_given_are_left_alone(engine):
    weights = _weights(40, 20)
    before = [tensor.clone() for tensor in weights]
    _built(weights, engine)(torch.randn(1, 20, 4, 4))
    assert all(map(torch.equal, weights, before))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("x", "needed", "cells", "message"),
    [
        (torch.zeros(1, 19, 4, 4), None, None, "20 torch.float32 channels"),
        (torch.zeros(1, 20, 4, 4).double(), None, None, "float64"),
        (torch.zeros(1, 20, 4, 4, device="meta"), None, None, "on meta"),
        (torch.zeros(1, 20, 4, 4), torch.ones(39, dtype=torch.bool), None, "40 booleans"),
        (torch.zeros(1, 20, 4, 4), torch.ones(40), None, "40 booleans"),
        (torch.zeros(1, 20, 4, 4), None, (0, 0, 5, 4), "not in a grid"),
        (torch.zeros(1, 20, 4, 4), None, (0, -1, 2, 2), "not in a grid"),
        (torch.zeros(1, 20, 4, 4), None, (0, 0, 0, 2), "not in a grid"),
    ],
)
def test_input_that_does_not_fit(engine, x, needed, cells, message):
    with pytest.raises(InputError, match=message):
        _built(_weights(40, 20), engine)(x, needed, cells)
