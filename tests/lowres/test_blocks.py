"""Blocks, compiled for every instruction set and by torch, against torch's convolution and norm in float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.lowres.blocks import Block, Blocks, InstanceNorm
from pixelwise.lowres.spare_memory import SpareMemory
from pixelwise.native import library

ENGINES = [False, *([] if library.missing() else library.instruction_sets())]
"""False for torch, or an instruction set."""

TOLERANCE = 3e-5


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


def _built(blocks: list[Block], engine: str | bool) -> Blocks:
    return Blocks(blocks, native=bool(engine), instruction_set=engine or None)


def _instance_block(inputs: int, outputs: int, padding: str = "zeros") -> Block:
    norm = InstanceNorm(torch.rand(outputs) + 0.5, torch.randn(outputs))
    return Block(torch.randn(outputs, inputs, 3, 3) / (9 * inputs) ** 0.5, norm=norm, padding=padding)


def _biased_block(inputs: int, outputs: int, padding: str = "zeros") -> Block:
    weight = torch.randn(outputs, inputs, 3, 3) / (9 * inputs) ** 0.5
    return Block(weight, torch.randn(outputs), padding=padding)


def _by_definition(blocks: list[Block], x: Tensor) -> Tensor:
    x = x.double()
    for block in blocks:
        x = F.pad(x, (1, 1, 1, 1), mode="constant" if block.padding == "zeros" else block.padding)
        x = F.conv2d(x, block.weight.double(), None if block.bias is None else block.bias.double())
        if block.norm:
            gain, shift = block.norm.gain.double(), block.norm.shift.double()
            x = F.instance_norm(x, weight=gain, bias=shift, eps=block.norm.epsilon)
        x = F.relu(x)
    return x


def _assert_close(actual: Tensor, expected: Tensor, tolerance: float = TOLERANCE) -> None:
    torch.testing.assert_close(actual.double(), expected.double(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("engine", ENGINES)
def test_gains_and_shifts_however_they_lie(engine):
    table = torch.rand(32, 2) + 0.5
    norms = [InstanceNorm(torch.full((), 2.0).expand(32), table[:, 1]), InstanceNorm(table[:, 0].double(), table[:, 1])]
    blocks = [Block(torch.randn(32, 32, 3, 3) / 17, norm=norm) for norm in norms]
    x = torch.randn(1, 32, 9, 8)
    _assert_close(_built(blocks, engine)(x), _by_definition(blocks, x))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
@pytest.mark.parametrize("make", [_instance_block, _biased_block])
@pytest.mark.parametrize("size", [(17, 23), (2, 2), (16, 16), (5, 40)])
def test_two_blocks(engine, padding, make, size):
    blocks = [make(20, 20, padding) for _ in range(2)]
    x = torch.randn(2, 20, *size)
    _assert_close(_built(blocks, engine)(x), _by_definition(blocks, x))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("channels", [1, 7, 16, 20, 48])
def test_channels_that_fill_no_panel(engine, channels):
    blocks = [_instance_block(channels, 33), _biased_block(33, channels)]
    x = torch.randn(2, channels, 9, 6)
    _assert_close(_built(blocks, engine)(x), _by_definition(blocks, x))


@pytest.mark.parametrize("engine", ENGINES)
def test_more_inputs_than_one_run_of_sums(engine):
    blocks = [_instance_block(600, 16), _instance_block(16, 16)]
    x = torch.randn(1, 600, 6, 6)
    _assert_close(_built(blocks, engine)(x), _by_definition(blocks, x))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("num_threads", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 3])
def test_work_shared_in_either_way_gives_the_same_numbers(engine, num_threads, batch):
    blocks = _built([_instance_block(20, 20) for _ in range(2)], engine)
    x = torch.randn(batch, 20, 33, 18)
    alone = blocks(x)
    torch.set_num_threads(num_threads)
    if engine:
        assert torch.equal(blocks(x), alone)
    else:
        _assert_close(blocks(x), alone)


@pytest.mark.parametrize("engine", ENGINES)
def test_statistics_far_from_zero(engine):
    block = _instance_block(16, 16, "replicate")
    x = torch.randn(1, 16, 33, 33) + 100
    # The tolerance tells: a variance from sums of squares would be wrong by 1e-2 here.
    _assert_close(_built([block], engine)(x), _by_definition([block], x), 5e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_input_may_be_negative_and_is_left_alone(engine):
    block = _biased_block(16, 16)
    x = torch.randn(1, 16, 8, 8)
    before = x.clone()
    _assert_close(_built([block], engine)(x), _by_definition([block], x))
    assert torch.equal(x, before)


@pytest.mark.parametrize("engine", ENGINES)
def test_output_is_channels_last_without_gradients(engine):
    made = _built([_instance_block(20, 20)], engine)(torch.randn(2, 20, 5, 7).requires_grad_())
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert not made.requires_grad


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("make", [_instance_block, _biased_block])
def test_frozen_statistics(engine, make):
    blocks = _built([make(20, 20) for _ in range(3)], engine)
    seen, other = torch.randn(1, 20, 24, 24), torch.randn(1, 20, 24, 24)
    frozen = blocks.frozen(seen)
    _assert_close(frozen(seen), blocks(seen))
    mixed = seen.clone()
    mixed[..., 12:] = other[..., 12:]
    # Three blocks see three cells to either side, and nothing further.
    _assert_close(frozen(mixed)[..., :9], blocks(seen)[..., :9])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "norm", [nn.InstanceNorm2d(20, affine=True), nn.InstanceNorm2d(20), nn.BatchNorm2d(20), nn.Identity()]
)
@pytest.mark.parametrize("bias", [False, True])
def test_from_modules(engine, norm, bias):
    convolution = nn.Conv2d(20, 20, 3, padding=1, padding_mode="reflect", bias=bias)
    for name, tensor in [*norm.named_parameters(), *norm.named_buffers()]:
        if name != "num_batches_tracked":
            nn.init.uniform_(tensor, 0.5, 1.5)
    x = torch.randn(2, 20, 9, 11)
    with torch.no_grad():
        expected = F.relu(norm.eval()(convolution(x)))
    _assert_close(_built([Block.of(convolution, norm)], engine)(x), expected)


def test_no_other_norm():
    with pytest.raises(InputError, match="GroupNorm"):
        Block.of(nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4))


@pytest.mark.parametrize("engine", ENGINES)
def test_input_that_does_not_fit(engine):
    blocks = _built([_instance_block(20, 20, "reflect")], engine)
    for x in (torch.randn(1, 19, 4, 4), torch.randn(1, 20, 4, 4).double(), torch.randn(1, 20, 4, 4, device="meta")):
        with pytest.raises(InputError, match="20 channels"):
            blocks(x)
    with pytest.raises(InputError, match="1 x 4 cells"):
        blocks(torch.randn(1, 20, 1, 4))
    with pytest.raises(InputError, match="one picture"):
        blocks.frozen(torch.randn(2, 20, 4, 4))


@pytest.mark.skipif(library.missing() is not None, reason="the compiled kernels are missing")
def test_winograd_error_stays_far_below_what_a_network_may_differ():
    blocks = [_instance_block(192, 192) for _ in range(6)]
    x = torch.randn(1, 192, 16, 16)
    _assert_close(Blocks(blocks)(x), _by_definition(blocks, x), 5e-5)
