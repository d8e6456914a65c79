"""Work in another thread: really meanwhile, in order, no more at a time than was asked for, and over at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import pytest

from pixelwise.native.errands import Errands
from pixelwise.translate.overlap import ahead, behind, one_thread, reader_and_writer

SOON = 60


@pytest.fixture(params=["threads", "errands"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with reader_and_writer(Errands() if request.param == "errands" else None) as (reader, _):
        yield reader


def double(number: int) -> int:
    return 2 * number


def counting(made: list[int], count: int = 9) -> Iterator[int]:
    for number in range(count):
        made.append(number)
        yield number


@pytest.mark.parametrize("overlapped", [ahead, behind])
@pytest.mark.parametrize("num_waiting", [1, 3, 20])
def test_results_come_in_order(executor: Executor, overlapped: Callable[..., Iterator[int]], num_waiting: int) -> None:
    assert list(overlapped(executor, double, range(9), num_waiting)) == list(range(0, 18, 2))
    assert list(overlapped(executor, double, [], num_waiting)) == []


def test_what_comes_next_is_done_before_it_is_asked_for() -> None:
    is_done = threading.Event()

    def tell(number: int) -> int:
        if number == 2:
            is_done.set()
        return number

    with one_thread("test") as thread:
        results = ahead(thread, tell, range(9), 2)
        assert next(results) == 0
        assert is_done.wait(SOON)


def test_no_more_is_begun_ahead_than_asked_for() -> None:
    begun: list[int] = []
    with one_thread("test") as thread:
        results = ahead(thread, double, counting(begun), 2)
        assert (next(results), begun) == (0, [0, 1, 2])
        assert (next(results), begun) == (2, [0, 1, 2, 3])


def test_the_next_item_is_made_while_one_is_worked_on() -> None:
    is_made = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        is_made.set()
        yield 1

    with one_thread("test") as thread:
        assert list(behind(thread, lambda number: is_made.wait(SOON), items(), 1)) == [True, True]


def test_no_more_items_wait_than_may() -> None:
    made: list[int] = []
    may_end = threading.Event()

    def wait(number: int) -> int:
        assert may_end.wait(SOON)
        return number

    def items() -> Iterator[int]:
        for number in counting(made):
            if number == 3:
                pytest.fail("three items were waiting already")
            if number == 2:
                threading.Timer(0.05, may_end.set).start()
            yield number

    with one_thread("test") as thread:
        assert next(behind(thread, wait, items(), 2)) == 0
    assert made == [0, 1, 2]


def test_what_is_done_is_told_at_once() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in counting(made):
            # The thread does one thing after the other: now it has done all before this.
            thread.submit(double, number).result(SOON)
            yield number

    with one_thread("test") as thread:
        results = behind(thread, double, items(), 8)
        assert next(results) == 0
        assert made == [0, 1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_items_that_were_made_are_told_of_before_the_interruption(
    executor: Executor, error: type[BaseException]
) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise error

    results = behind(executor, double, items(), 8)
    assert [next(results) for _ in range(3)] == [0, 2, 4]
    with pytest.raises(error):
        next(results)


@pytest.mark.parametrize("overlapped", [ahead, behind])
def test_errors_of_the_other_thread_are_raised_here(
    executor: Executor, overlapped: Callable[..., Iterator[int]]
) -> None:
    with pytest.raises(ZeroDivisionError):
        list(overlapped(executor, lambda number: 1 // number, [1, 0, 1], 2))


def test_a_thread_finishes_what_it_is_at_and_no_more() -> None:
    finished: list[int] = []
    begun, may_end = threading.Event(), threading.Event()

    def work(number: int) -> None:
        begun.set()
        assert may_end.wait(SOON)
        finished.append(number)

    def interrupted() -> None:
        with one_thread("test-thread") as thread:
            for number in range(3):
                thread.submit(work, number)
            assert begun.wait(SOON)
            threading.Timer(0.05, may_end.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert finished == [0]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test-thread")]
