"""Reading and writing beside the thread that computes: results in order, and only a few of them held at a time.

Decoders, compressors and file systems let other threads run meanwhile, so that threads are enough. Those are threads of
their own, or where compiled kernels compute, the kernels' threads. What mostly waits for the disk is never theirs.
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
Encoded = TypeVar("Encoded")
Result = TypeVar("Result")


@contextmanager
def workers(errands: Errands | None) -> Iterator[tuple[Executor, Executor, Executor]]:
    """Who reads, who encodes and who stores, as long as the context lasts: whatever ends it, what was begun is
    finished, what was encoded is stored, and nothing else is.

    Args:
        errands: the first two, if there are any; otherwise threads.
    """
    with ThreadPoolExecutor(1, "pixelwise-storer") as storer:
        if errands is None:
            with one_thread("pixelwise-reader") as reader, one_thread("pixelwise-encoder") as encoder:
                yield reader, encoder, storer
        else:
            with _finishing(errands):
                yield errands, errands, storer


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
    encoding: tuple[Executor, Callable[[Item], Encoded]],
    storing: tuple[Executor, Callable[[Encoded], Result]],
    items: Iterable[Item],
    num_behind: int,
) -> Iterator[Result]:
    """What storing makes of what encoding makes of the items, while this thread makes the next; up to ``num_behind``
    items wait.

    Whatever ends it early, Ctrl-C too: items that have been made are finished and told of before that is raised.

    Args:
        encoding, storing: functions, and in which thread each is called.
        items: what this thread makes.
        num_behind: at least 0.

    Raises:
        Whatever ``items`` or the functions raise.
    """
    (encoder, encode), (storer, store) = encoding, storing

    def hand_over(item: Item) -> Future[Result]:
        return storer.submit(store, encode(item))

    results: deque[Future[Future[Result]]] = deque()
    try:
        for item in items:
            results.append(encoder.submit(hand_over, item))
            while len(results) > num_behind or (results and _is_over(results[0])):
                yield _take_first(results)
        while results:
            yield _take_first(results)
    except (Exception, KeyboardInterrupt):
        stored = [result.result() for result in results if not result.exception()]
        yield from [result.result() for result in stored if not result.exception()]
        raise


def _is_over(result: Future[Future[Result]]) -> bool:
    return result.done() and (result.exception() is not None or result.result().done())


def _take_first(results: deque[Future[Future[Result]]]) -> Result:
    """Waits for the first result, and only then takes it out: an interruption while waiting must not lose it."""
    result = results[0].result().result()
    results.popleft()
    return result
