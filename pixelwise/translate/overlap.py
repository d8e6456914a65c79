"""Reading and writing beside the thread that computes: results in order, and only a few of them held at a time.

Decoders, compressors and file systems let other threads run meanwhile, so that threads are enough. Those are threads of
their own, or where compiled kernels compute, the kernels' threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from pixelwise.native.errands import Errands

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def reader_and_writer(errands: Errands | None) -> Iterator[tuple[Executor, Executor]]:
    """As long as the context lasts: whatever ends it, what was begun is finished, and nothing else is.

    Args:
        errands: both, if there are any; otherwise two threads.
    """
    if errands is None:
        with one_thread("pixelwise-reader") as reader, one_thread("pixelwise-writer") as writer:
            yield reader, writer
    else:
        with _finishing(errands):
            yield errands, errands


@contextmanager
def one_thread(name: str) -> Iterator[Executor]:
    """A thread for as long as the context lasts: whatever ends it, what was begun is finished, and nothing else is."""
    with _finishing(thread := ThreadPoolExecutor(1, name)):
        yield thread


@contextmanager
def _finishing(executor: Executor) -> Iterator[None]:
    try:
        yield
    finally:
        executor.shutdown(cancel_futures=True)


def ahead(
    thread: Executor, function: Callable[[Item], Result], items: Iterable[Item], num_ahead: int
) -> Iterator[Result]:
    """``map(function, items)``, done in ``thread`` before it is asked for: up to ``num_ahead`` results, at least one.

    Raises:
        Whatever ``function`` raises, when its result is asked for.
    """
    remaining = iter(items)
    results = deque(thread.submit(function, item) for item in islice(remaining, num_ahead))
    while results:
        result = results.popleft().result()
        results.extend(thread.submit(function, item) for item in islice(remaining, 1))
        yield result


def behind(
    thread: Executor, function: Callable[[Item], Result], items: Iterable[Item], num_behind: int
) -> Iterator[Result]:
    """``map(function, items)``, done in ``thread`` while this one makes the next item; up to ``num_behind`` items wait.

    Whatever ends it early, Ctrl-C too: items that have been made are finished and told of before that is raised.

    Raises:
        Whatever ``items`` or ``function`` raise.
    """
    results: deque[Future[Result]] = deque()
    try:
        for item in items:
            results.append(thread.submit(function, item))
            while len(results) > num_behind or (results and results[0].done()):
                yield _take_first(results)
        while results:
            yield _take_first(results)
    except (Exception, KeyboardInterrupt):
        yield from [result.result() for result in results if not result.exception()]
        raise


def _take_first(results: deque[Future[Result]]) -> Result:
    """Waits for the first result, and only then takes it out: an interruption while waiting must not lose it."""
    result = results[0].result()
    results.popleft()
    return result
