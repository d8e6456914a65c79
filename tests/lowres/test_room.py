"""Kernels that are prepared ahead of the first one make what they make one by one."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.activations import Activations
from pixelwise.lowres.blocks import Block, Blocks, Convolution, InstanceNorm
from pixelwise.lowres.front import Front
from pixelwise.lowres.plain import PlainConvolution
from pixelwise.lowres.room import Room
from pixelwise.lowres.strided import StridedConvolution
from pixelwise.lowres.torch_winograd import TorchConvolution
from pixelwise.lowres.winograd import WinogradConvolution
from pixelwise.native import library

pytestmark = pytest.mark.usefixtures("poisoned", "seeded")
compiled = pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")


def compiled_chain() -> list[Convolution]:
    """One that halves the grid, then more than there are memories for."""
    weights = [torch.randn(32, 32, 3, 3) / 17 for _ in range(5)]
    return [
        StridedConvolution(weights[0], "zeros", None),
        *(WinogradConvolution(weight, "reflect", None) for weight in weights[1:]),
    ]


def through(chain: list[Convolution], x: Tensor, room: Room) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """What the last one makes, and its norm."""
    gain, shift = torch.linspace(0.5, 2, 32), torch.linspace(-1, 1, 32)
    now = Activations(x, torch.ones(len(x), 32), torch.zeros(len(x), 32), 0.0)
    for convolution in chain:
        convolved = convolution(now, room)
        norm = convolved.moments.normalising(gain, shift, 1e-5)
        now = Activations(convolved.cells, *norm, 0.0)
    room.finish()
    return now.cells, norm


@compiled
@torch.no_grad()
def test_ahead_of_all_or_one_by_one() -> None:
    chain, x = compiled_chain(), torch.randn(2, 19, 13, 32)
    made, expected = through(chain, x, Room(ahead=True)), through(chain, x, Room())
    assert torch.equal(made[0], expected[0])
    assert all(map(torch.equal, made[1], expected[1]))


@compiled
@pytest.mark.parametrize(
    "make",
    [lambda weight: TorchConvolution(weight, "zeros"), lambda weight: PlainConvolution([weight], "zeros", 1)],
    ids=["torch", "plain"],
)
@torch.no_grad()
def test_who_reads_by_torch_has_what_waits_run_first(make: Callable[[Tensor], Convolution]) -> None:
    chain, x = [*compiled_chain(), make(torch.randn(32, 32, 3, 3) / 17)], torch.randn(1, 19, 13, 32)
    made, expected = through(chain, x, Room(ahead=True)), through(chain, x, Room())
    assert torch.equal(made[0], expected[0])


@compiled
@torch.no_grad()
def test_moments_are_of_what_has_been_made() -> None:
    (convolution, *_), room = compiled_chain(), Room(ahead=True)
    x = Activations(torch.randn(1, 19, 13, 32), torch.ones(1, 32), torch.zeros(1, 32), 0.0)
    convolved = convolution(x, room)
    mean, _ = convolved.moments()
    torch.testing.assert_close(mean.float(), convolved.cells.mean((1, 2)), rtol=0, atol=1e-5)


@compiled
@torch.no_grad()
def test_cells_that_are_filled_up_with_channels_are_made_first() -> None:
    """A strided block makes 16 of 10 outputs, and the next one reads 32."""
    norm = InstanceNorm(torch.rand(10) + 0.5, torch.randn(10))
    blocks = [Block(torch.randn(10, 10, 3, 3) / 9, None, norm, stride=stride) for stride in (2, 1, 2, 1)]
    x = torch.randn(1, 10, 29, 24)
    torch.testing.assert_close(Blocks(blocks)(x), Blocks(blocks, native=False)(x), rtol=0, atol=1e-4)


@compiled
@torch.no_grad()
def test_what_waits_outlives_who_prepared_it() -> None:
    block, labels, room = Block(torch.randn(32, 5, 3, 3)), torch.randint(5, (1, 19, 13)), Room(ahead=True)
    made = Front(block, 5, 1)(labels, None, room=room)
    made = WinogradConvolution(torch.randn(32, 32, 3, 3) / 17, "zeros", None)(
        Activations(made.cells, torch.ones(1, 32), torch.zeros(1, 32), 0.0), room
    )
    taken = [torch.full((9 * 5 * 32,), torch.nan) for _ in range(20)]
    room.finish()
    assert taken
    assert made.cells.isfinite().all()


@compiled
@torch.no_grad()
def test_kernels_run_with_as_many_threads_as_they_were_prepared_for() -> None:
    """On a grid so large that each has memory for tiles of its own."""
    convolution, threads = WinogradConvolution(torch.randn(32, 32, 3, 3) / 17, "zeros", None), torch.get_num_threads()
    x = Activations(torch.randn(1, 128, 128, 32), torch.ones(1, 32), torch.zeros(1, 32), 0.0)
    room, ran = Room(ahead=True), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "run", lambda kernel, job, num_threads: ran.append(num_threads))
        try:
            torch.set_num_threads(2)
            convolution(x, room)
            torch.set_num_threads(3)
            room.finish()
        finally:
            torch.set_num_threads(threads)
    assert set(ran) == {2}


def test_layers_take_the_memory_of_the_last_but_one_where_kernels_run_ahead() -> None:
    room = Room(ahead=True)
    first, second, third, large = (room.layer(1, size, size, 4).data_ptr() for size in (6, 5, 4, 7))
    assert third == first != second
    assert large not in (first, second)


def test_layers_that_were_made_keep_their_memory() -> None:
    room = Room(ahead=True)
    kept = room.layer(1, 6, 6, 4)
    room.finish()
    assert kept.data_ptr() not in {room.layer(1, 5, 5, 4).data_ptr() for _ in range(4)}


def test_layers_have_memory_of_their_own_where_kernels_run_at_once() -> None:
    room = Room()
    layers = [room.layer(1, 6, 6, 4) for _ in range(4)]
    assert len({layer.data_ptr() for layer in layers}) == 4


class Job(ctypes.Structure):
    _fields_ = [("out_of_memory", ctypes.c_int32)]


@pytest.mark.parametrize("ahead", [True, False])
def test_a_kernel_that_lacks_memory_says_for_what(monkeypatch: pytest.MonkeyPatch, ahead: bool) -> None:
    ran: list[int] = []
    monkeypatch.setattr(library, "run", lambda kernel, job, num_threads: kernel(job))

    def lacking(number: int) -> Callable[[Job], None]:
        def kernel(job: Job) -> None:
            ran.append(number)
            job.out_of_memory = number == 1

        return kernel

    def run_three() -> None:
        room = Room(ahead)
        for number in range(3):
            room.run(lacking(number), Job(), scarce=f"no memory for {number}")
        room.finish()

    with pytest.raises(InputError, match="no memory for 1"):
        run_three()
    assert ran == [0, 1]
