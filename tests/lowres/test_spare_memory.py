"""Memory that is used again: only when nobody holds it, and not too much of it."""

import pickle
import subprocess
import sys
from threading import Barrier, Thread

import numpy as np
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
        for shape in ((2, 3, 5), (0, 4), (7,)):
            made = memory.tensor(*shape, dtype=dtype)
            assert made.shape == shape
            assert made.dtype == dtype
            assert made.is_contiguous()
            assert made.data_ptr() % 64 == 0


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
    large, small = memory.tensor(300), memory.tensor(100)
    addresses = large.data_ptr(), small.data_ptr()
    del large, small
    first, second = memory.tensor(90), memory.tensor(90)
    assert (second.data_ptr(), first.data_ptr()) == addresses


def test_what_has_been_outgrown_is_not_kept_beside():
    memory = SpareMemory()
    for count in (10, 20, 30):
        memory.tensor(count)
    assert memory.num_bytes == 120


def test_a_small_tensor_does_not_hold_much_more():
    memory = SpareMemory()
    memory.tensor(1000)
    held = memory.tensor(200)
    assert memory.num_bytes == 4000
    assert held.untyped_storage().nbytes() == 800


def test_of_what_is_too_much_the_larger_is_kept(monkeypatch):
    monkeypatch.setattr(spare_memory, "MOST_BYTES", 1000)
    memory = SpareMemory()
    for counts in ((200, 40, 100), (100, 40, 200)):
        held = [memory.tensor(count) for count in counts]
        while held:
            held.pop(0)
        assert memory.num_bytes == 800
    address = memory.tensor(200).data_ptr()
    assert memory.tensor(200).data_ptr() == address


def test_what_alone_is_too_much_is_not_kept(monkeypatch):
    monkeypatch.setattr(spare_memory, "MOST_BYTES", 1000)
    memory = SpareMemory()
    memory.tensor(100)
    memory.tensor(251)
    assert memory.num_bytes == 400


def test_two_threads_that_see_the_same_memory_do_not_both_take_it():
    both_have_seen = Barrier(2)

    class Spare(dict[int, np.ndarray]):
        def copy(self) -> "Spare":
            pieces = Spare(self)
            both_have_seen.wait(timeout=10)
            return pieces

    memory, taken = SpareMemory(), []
    memory.tensor(100)
    memory._spare = Spare(memory._spare)
    threads = [Thread(target=lambda: taken.append(memory.tensor(100))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tensor.data_ptr() for tensor in taken}) == 2
    memory._spare = {}  # they may be given back one by one


def test_a_copy_has_memory_of_its_own():
    memory = SpareMemory()
    memory.tensor(100_000)
    assert len(pickle.dumps(memory)) < 1000
    assert pickle.loads(pickle.dumps(memory)).num_bytes == 0


def test_what_is_held_stays_held_when_the_interpreter_ends():
    program = """
import atexit
from pixelwise.lowres.spare_memory import SpareMemory

def last():
    held.fill_(1)
    memory.tensor(8, 8).fill_(2)
    print(float(held.max()))

atexit.register(last)
memory = SpareMemory()
held = memory.tensor(8, 8)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "1.0"


@pytest.mark.parametrize("native", [False, True])
def test_what_a_stream_has_made_stays_when_it_makes_something_else(native):
    if native and library.missing():
        pytest.skip(str(library.missing()))
    torch.manual_seed(0)
    stream = LowResolutionStream(StreamConfig(3, 2, 4, 16, 32, 2, False, "zeros", "instance", 600)).eval()
    fast = FastStream(stream, 0, torch.ones(600, 1, 1), native)
    pictures = [torch.randn(1, 3, 32, 32) for _ in range(4)]
    apart = [fast.parameters(fast.features(None, picture)).clone() for picture in pictures]
    together = [fast.parameters(fast.features(None, picture)) for picture in pictures]
    assert all(torch.equal(*pair) for pair in zip(apart, together, strict=True))
