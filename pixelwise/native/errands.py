"""Errands: small work that threads of a compiled kernel do on the way, before they take their share of its items.

Beside a kernel that has all processors, a thread of its own costs twice what it does: the system stops one of the
kernel's threads for it, in the middle of an item, and the others wait. A thread that does the errand itself is missed
by nobody, as there are fewer items left for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_of_thread = threading.local()


class Errands(Executor):
    """An executor whose work is done by the kernels that its thread calls while its context lasts.

    They do it in order. What is asked for before a kernel has come along is done at once, in a thread beside.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Errand[object]] = deque()
        self._beside = ThreadPoolExecutor(1, "pixelwise-errands")
        self._outer: Errands | None = None

    def __enter__(self) -> Errands:
        self._outer, _of_thread.errands = waiting_here(), self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What has been begun is finished, and nothing else is."""
        _of_thread.errands = self._outer
        self.shutdown(cancel_futures=True)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        errand = _Errand(self, partial(fn, *args, **kwargs))
        self._waiting.append(cast("_Errand[object]", errand))
        return errand

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for errand in list(self._waiting):
            if cancel_futures:
                errand.cancel()
            self.hurry(errand)
        self._beside.shutdown(wait)

    def do_all(self) -> None:
        """All that waits, in the thread that calls."""
        while True:
            try:
                errand = self._waiting.popleft()
            except IndexError:
                return
            errand.do()

    def hurry(self, errand: _Errand[object]) -> None:
        """Has it done now, unless it is under way."""
        try:
            self._waiting.remove(errand)
        except ValueError:
            return
        self._beside.submit(errand.do)


class _Errand(Future[T]):
    """Whoever waits for it hurries it. That is never left to a thread that may be interrupted."""

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

    def result(self, timeout: float | None = None) -> T:
        self._errands.hurry(cast("_Errand[object]", self))
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._errands.hurry(cast("_Errand[object]", self))
        return super().exception(timeout)


def waiting_here() -> Errands | None:
    """The errands of this thread, which kernels that it calls may do; None outside their context."""
    return getattr(_of_thread, "errands", None)
