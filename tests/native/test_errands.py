"""Errands: done by a kernel's threads but its caller's, or else when asked for; nothing is lost, nothing done twice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
import torch

from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import random_network
from pixelwise.errors import InputError
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.fast_asapnet import FastAsapNet
from pixelwise.native import errands, library
from pixelwise.native.errands import Errands

T = TypeVar("T")

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


@pytest.fixture(params=[True, False])
def with_openmp_and_without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(library, "_openmp", lambda: None)


def caller() -> int:
    return threading.get_ident()


def during(executor: Errands, make: Callable[[], T]) -> T:
    """What ``make`` makes while its kernels do errands."""
    (made,) = executor.during(make() for _ in range(1))
    return made


@needs_kernels
@pytest.mark.usefixtures("threads", "with_openmp_and_without")
def test_a_kernels_other_threads_do_them(network: FastAsapNet) -> None:
    condition = draw_condition(network.config, SIZE)
    alone = network(condition).image
    with Errands() as executor:
        results = [executor.submit(caller) for _ in range(5)]
        made = during(executor, lambda: network(condition).image)
        assert all(result.done() for result in results)
    assert caller() not in {result.result() for result in results}
    assert torch.equal(made, alone)


@needs_kernels
@pytest.mark.parametrize("threads", [1], indirect=True)
def test_a_single_thread_leaves_them(network: FastAsapNet, threads: int) -> None:
    with Errands() as executor:
        result = executor.submit(caller)
        during(executor, lambda: network(draw_condition(network.config, SIZE)))
        assert not result.done()
        assert result.result() != caller()


@needs_kernels
@pytest.mark.usefixtures("threads", "with_openmp_and_without")
def test_an_interruption_in_a_kernel_reaches_the_caller_and_no_errand(network: FastAsapNet) -> None:
    def interrupt() -> int:
        signal.raise_signal(signal.SIGINT)
        return 8

    with Errands() as executor:
        result = executor.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            during(executor, lambda: network(draw_condition(network.config, SIZE)))
        assert result.result() == 8
        assert errands.waiting_here() is None


def test_kernels_do_them_only_while_an_item_is_made() -> None:
    executor = Errands()
    seen = executor.during(errands.waiting_here() for _ in range(2))
    assert next(seen) is executor
    assert errands.waiting_here() is None
    seen.close()
    assert errands.waiting_here() is None


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


@pytest.mark.parametrize("cancel", [True, False])
def test_at_the_end_what_nobody_has_begun_is_done_unless_it_is_cancelled(cancel: bool) -> None:
    done: list[int] = []
    executor = Errands()
    begun, other = executor.submit(done.append, 1), executor.submit(done.append, 2)
    begun.result()
    executor.shutdown(cancel_futures=cancel)
    assert done == ([1] if cancel else [1, 2])
    assert other.cancelled() == cancel


@needs_kernels
def test_networks_say_whether_their_kernels_do_them(network: FastAsapNet) -> None:
    assert network.does_errands
    assert not FastAsapNet(network.generator, "torch").does_errands
