"""Errands: small work that threads of a compiled kernel do on the way, before they take their share of its items.

Beside a kernel that has all processors, a thread of its own costs twice what it does: the system stops one of the
kernel's threads for it, in the middle of an item, and the others wait. A thread that does the errand itself is missed
by nobody, as there are fewer items left for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_of_thread = threading.local()


class Errands(Executor):
    """An executor whose work is done by kernels, as they come along; see ``during``.

    They do it in order. What is asked for before is done at once, in a thread beside.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Errand[object]] = deque()
        self._beside = ThreadPoolExecutor(1, "pixelwise-errands")

    @property
    def any_wait(self) -> bool:
        return bool(self._waiting)

    def during(self, items: Iterable[T]) -> Iterator[T]:
        """The items; kernels that are called in this thread while one of them is made do errands."""
        iterator = iter(items)
        while True:
            _of_thread.errands = self
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                _of_thread.errands = None
            yield item

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        errand = _Errand(self, partial(fn, *args, **kwargs))
        self._waiting.append(cast("_Errand[object]", errand))
        return errand

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """What has been begun is finished; the rest is too, unless it is cancelled."""
        for errand in list(self._waiting):
            if cancel_futures:
                errand.cancel()
            self.hurry(errand)
        self._beside.shutdown(wait)

    def do_all(self) -> None:
        """All that waits, in the thread that calls."""
        while self._waiting:
            try:
                errand = self._waiting.popleft()
            except IndexError:  # another thread was faster
                return
            errand.do()

    def hurry(self, errand: _Errand[object]) -> None:
        """Has it done now, unless it is under way or over."""
        if errand in self._waiting:
            # Not taken out here: an interruption in between would leave it to nobody.
            self._beside.submit(self._do, errand)

    def _do(self, errand: _Errand[object]) -> None:
        try:
            self._waiting.remove(errand)
        except ValueError:
            return
        errand.do()


class _Errand(Future[T]):
    """Whoever waits for it hurries it. It is done beside, as whoever waits may be interrupted."""

    def __init__(self, errands: Errands, work: Callable[[], T]) -> None:
        super().__init__()
        self._errands, self._work = errands, work

    def do(self) -> None:
        if not self.set_running_or_notify_cancel():
            return
        try:
            self.set_result(self._work())
        except BaseException as error:
            self.set_exception(error)
        finally:
            del self._work  # and with it what it holds, such as a picture

    def result(self, timeout: float | None = None) -> T:
        self._errands.hurry(cast("_Errand[object]", self))
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._errands.hurry(cast("_Errand[object]", self))
        return super().exception(timeout)


def waiting_here() -> Errands | None:
    """What kernels that this thread calls now may do; None for nothing."""
    return getattr(_of_thread, "errands", None)
