"""Work in another thread: really meanwhile, in order, no more at a time than was asked for, and over at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor

import pytest

from pixelwise.native.errands import Errands
from pixelwise.translate.overlap import ahead, behind, one_thread, workers

SOON = 60


@pytest.fixture(params=["threads", "errands"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with workers(Errands() if request.param == "errands" else None) as (reader, _, _):
        yield reader


def double(number: int) -> int:
    return 2 * number


def doubled_behind(thread: Executor, items: Iterable[int], num_behind: int) -> Iterator[int]:
    """The items doubled, by the same thread that then stores them."""
    return behind((thread, double), (thread, int), items, num_behind)


def counting(made: list[int], count: int = 9) -> Iterator[int]:
    for number in range(count):
        made.append(number)
        yield number


@pytest.mark.parametrize("num_waiting", [1, 3, 20])
def test_results_come_in_order(executor: Executor, num_waiting: int) -> None:
    def all_of(items: Iterable[int]) -> tuple[list[int], list[int]]:
        return list(ahead(executor, double, items, num_waiting)), list(doubled_behind(executor, items, num_waiting))

    assert all_of(range(9)) == (list(range(0, 18, 2)), list(range(0, 18, 2)))
    assert all_of([]) == ([], [])


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
        encoding = thread, lambda number: is_made.wait(SOON)
        assert list(behind(encoding, (thread, bool), items(), 1)) == [True, True]


def test_the_next_item_is_encoded_while_one_is_stored() -> None:
    is_encoded = threading.Event()

    def encode(number: int) -> int:
        if number == 1:
            is_encoded.set()
        return number

    def store(number: int) -> bool:
        return is_encoded.wait(SOON)

    with one_thread("encoder") as encoder, one_thread("storer") as storer:
        assert list(behind((encoder, encode), (storer, store), range(2), 1)) == [True, True]


@pytest.mark.parametrize("waiting", ["encoding", "storing"])
def test_no_more_items_wait_than_may(waiting: str) -> None:
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

    with one_thread("encoder") as encoder, one_thread("storer") as storer:
        encode, store = (wait, int) if waiting == "encoding" else (int, wait)
        assert next(behind((encoder, encode), (storer, store), items(), 2)) == 0
    assert made == [0, 1, 2]


def test_what_is_done_is_told_at_once() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in counting(made):
            # The thread does one thing after the other: now it has encoded and then stored all before this.
            for _ in range(2):
                thread.submit(double, number).result(SOON)
            yield number

    with one_thread("test") as thread:
        results = doubled_behind(thread, items(), 8)
        assert next(results) == 0
        assert made == [0, 1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_items_that_were_made_are_told_of_before_the_interruption(
    executor: Executor, error: type[BaseException]
) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise error

    results = doubled_behind(executor, items(), 8)
    assert [next(results) for _ in range(3)] == [0, 2, 4]
    with pytest.raises(error):
        next(results)


def inverse(number: int) -> int:
    return 1 // number


@pytest.mark.parametrize(
    "overlapped",
    [
        lambda executor, items: ahead(executor, inverse, items, 2),
        lambda executor, items: behind((executor, inverse), (executor, int), items, 2),
        lambda executor, items: behind((executor, int), (executor, inverse), items, 2),
    ],
    ids=["ahead", "encoding", "storing"],
)
def test_errors_of_the_other_thread_are_raised_here(
    executor: Executor, overlapped: Callable[[Executor, list[int]], Iterator[int]]
) -> None:
    results = overlapped(executor, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        list(results)


def test_what_is_being_encoded_at_the_end_is_stored() -> None:
    second_made, begun, may_end = (threading.Event() for _ in range(3))
    stored: list[int] = []

    def items() -> Iterator[int]:
        yield 0
        second_made.set()
        yield from (1, 2)

    def encode(number: int) -> int:
        assert second_made.wait(SOON)
        if number == 1:
            begun.set()
            assert may_end.wait(SOON)
        return number

    with workers(None) as (_, encoder, storer):
        results = behind((encoder, encode), (storer, stored.append), items(), 2)
        next(results)
        assert begun.wait(SOON)
        threading.Timer(0.05, may_end.set).start()
        results.close()
    assert stored == [0, 1]


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
