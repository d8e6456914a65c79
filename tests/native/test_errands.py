"""Errands: done by a kernel's threads but its caller's, or else when asked for; nothing is lost, nothing done twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import random_network
from pixelwise.errors import InputError
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.fast_asapnet import FastAsapNet
from pixelwise.native import errands, library
from pixelwise.native.errands import Errands
from pixelwise.translate.overlap import reader_and_writer

SIZE = (32, 32)

needs_kernels = pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")


@pytest.fixture
def network() -> FastAsapNet:
    return FastAsapNet(random_network(AsapNetConfig(num_labels=4, cell=8, width=16, max_width=16)), "native")


@pytest.fixture(params=[2, 4])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def caller() -> int:
    return threading.get_ident()


@needs_kernels
def test_a_kernels_other_threads_do_them(network: FastAsapNet, threads: int) -> None:
    condition = draw_condition(network.config, SIZE)
    alone = network(condition).image
    with Errands() as executor:
        results = [executor.submit(caller) for _ in range(5)]
        made = network(condition).image
        assert all(result.done() for result in results)
    assert caller() not in {result.result() for result in results}
    assert torch.equal(made, alone)


@needs_kernels
@pytest.mark.parametrize("threads", [1], indirect=True)
def test_a_single_thread_leaves_them(network: FastAsapNet, threads: int) -> None:
    with Errands() as executor:
        result = executor.submit(caller)
        network(draw_condition(network.config, SIZE))
        assert not result.done()
        assert result.result() != caller()


@needs_kernels
def test_kernels_that_another_thread_calls_leave_them(network: FastAsapNet, threads: int) -> None:
    condition = draw_condition(network.config, SIZE)
    with Errands() as executor:
        result = executor.submit(caller)
        other = threading.Thread(target=network, args=(condition,))
        other.start()
        other.join()
        assert not result.done()


def test_whoever_waits_has_them_done() -> None:
    with Errands() as executor:
        first, second = executor.submit(pow, 2, 3), executor.submit(int, "x")
        assert isinstance(second.exception(), ValueError)
        assert not first.done()
        assert first.result() == 8


def test_they_are_done_in_order_and_once() -> None:
    done: list[int] = []
    with Errands() as executor:
        results = [executor.submit(done.append, number) for number in range(5)]
        executor.do_all()
        executor.do_all()
        for result in results:
            result.result()
    assert done == [0, 1, 2, 3, 4]


def test_an_error_reaches_whoever_asks_and_stops_no_other() -> None:
    def fail() -> None:
        raise InputError("no such picture")

    with Errands() as executor:
        failing, other = executor.submit(fail), executor.submit(pow, 2, 3)
        executor.do_all()
        with pytest.raises(InputError, match="no such picture"):
            failing.result()
        assert other.result() == 8


def test_what_nobody_has_begun_is_not_done_at_the_end() -> None:
    done: list[int] = []
    with Errands() as executor:
        begun, other = executor.submit(done.append, 1), executor.submit(done.append, 2)
        begun.result()
    assert done == [1]
    assert other.cancelled()


def test_contexts_nest_and_belong_to_their_thread() -> None:
    seen: list[object] = []
    assert errands.waiting_here() is None
    with Errands() as outer:
        with Errands() as inner:
            assert errands.waiting_here() is inner
        assert errands.waiting_here() is outer
        thread = threading.Thread(target=lambda: seen.append(errands.waiting_here()))
        thread.start()
        thread.join()
    assert seen == [None]
    assert errands.waiting_here() is None


@pytest.mark.parametrize("does_errands", [False, True])
def test_reading_and_writing_are_over_with_their_context(does_errands: bool, tmp_path: Path) -> None:
    path = tmp_path / "made.npy"
    with reader_and_writer(does_errands) as (reader, writer):
        array = reader.submit(np.zeros, 3).result()
        writer.submit(np.save, path, array).result()
    assert np.load(path, allow_pickle=False).shape == (3,)


@needs_kernels
def test_networks_say_whether_their_kernels_do_them(network: FastAsapNet) -> None:
    assert network.does_errands
    assert not FastAsapNet(network.generator, "torch").does_errands
