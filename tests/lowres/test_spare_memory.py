"""Memory that is used again: only when nobody holds it, and not too much of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from pixelwise.lowres import spare_memory
from pixelwise.lowres.reference import LowResolutionStream, StreamConfig
from pixelwise.lowres.spare_memory import SpareMemory
from pixelwise.lowres.stream import FastStream
from pixelwise.native import library


def test_memory_that_nobody_holds_is_used_again():
    memory = SpareMemory()
    address = memory.tensor(1000, 3).data_ptr()
    assert memory.tensor(20, 100).data_ptr() == address


def test_a_tensor_is_as_asked_for():
    memory = SpareMemory()
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        made = memory.tensor(2, 3, 5, dtype=dtype)
        assert made.shape == (2, 3, 5)
        assert made.dtype == dtype
        assert made.is_contiguous()


@pytest.mark.parametrize(
    "view",
    [lambda made: made[4:], lambda made: made.permute(1, 0).detach(), lambda made: made.numpy(), nn.Parameter],
    ids=["part", "permuted", "array", "parameter"],
)
def test_memory_is_not_used_again_while_a_view_of_it_is_left(view):
    memory = SpareMemory()
    seen = view(memory.tensor(8, 8).fill_(1))
    memory.tensor(8, 8).fill_(2)
    assert (seen == 1).all()


def test_the_smallest_that_is_large_enough_is_taken():
    memory = SpareMemory()
    large, small = memory.tensor(1000), memory.tensor(100)
    addresses = large.data_ptr(), small.data_ptr()
    del large, small
    first, second = memory.tensor(90), memory.tensor(90)
    assert (second.data_ptr(), first.data_ptr()) == addresses


def test_what_is_too_small_is_given_back_and_not_held_beside():
    memory = SpareMemory()
    for count in (10, 20, 30):
        memory.tensor(count)
    assert [piece.nbytes for piece in memory._spare.values()] == [120]


def test_no_more_is_kept_than_allowed(monkeypatch):
    monkeypatch.setattr(spare_memory, "MOST_BYTES", 1000)
    memory = SpareMemory()
    held = [memory.tensor(100) for _ in range(5)]
    del held
    assert sum(piece.nbytes for piece in memory._spare.values()) == 800


def test_threads_never_hold_the_same_memory():
    memory = SpareMemory()

    def work(number: int) -> bool:
        kept = True
        for step in range(300):
            made = memory.tensor(64 + step % 3).fill_(number)
            kept = kept and bool((made == number).all())
        return kept

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(8)))


@pytest.mark.parametrize("native", [False, True])
def test_what_a_stream_has_made_stays_when_it_makes_something_else(native):
    if native and library.missing():
        pytest.skip(str(library.missing()))
    torch.manual_seed(0)
    stream = LowResolutionStream(StreamConfig(3, 2, 4, 16, 32, 2, False, "zeros", "instance", 40)).eval()
    fast = FastStream(stream, 0, torch.ones(40, 1, 1), native)
    pictures = [torch.randn(1, 3, 32, 32) for _ in range(4)]
    apart = [fast.parameters(fast.features(None, picture)).clone() for picture in pictures]
    together = [fast.parameters(fast.features(None, picture)) for picture in pictures]
    assert all(torch.equal(*pair) for pair in zip(apart, together, strict=True))
