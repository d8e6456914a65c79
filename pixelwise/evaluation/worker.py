"""One entrant's samples, observed by this process or shared by several; what was done before is not done again."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor

from pixelwise import images
from pixelwise.allocator import keep_freed_memory
from pixelwise.condition import PairedSample
from pixelwise.contact_sheet import target_pictures
from pixelwise.errors import InputError
from pixelwise.evaluation.entrant import maker
from pixelwise.evaluation.examination import Examination, prepare
from pixelwise.evaluation.journal import Journal
from pixelwise.evaluation.scores import Progress, observe
from pixelwise.evaluation.setting import Setting

PORTION = 16
"""Samples that a process takes at a time."""


@dataclass(frozen=True)
class Task:
    """All that a process must know to work on an entrant's samples by itself.

    Attributes:
        entrant: who is evaluated; see ``maker``.
        device: where a model runs.
        setting: what it is asked.
        folder: for its journal and its pictures.
        subject: the journal's.
    """

    entrant: str
    device: str
    setting: Setting
    folder: Path
    subject: str

    def picture(self, sample: str) -> Path:
        """Where what was made of a sample lies, by its name."""
        return self.folder / "pictures" / f"{sample}.png"

    def open_journal(self) -> Journal:
        return Journal(self.folder / "journal.sqlite", self.subject)


class Worker:
    """Works on a task: the entrant is opened once.

    Args:
        task: what is to be done.
        examination: of the task's setting.

    Raises:
        InputError: as ``evaluate``.
    """

    def __init__(self, task: Task, examination: Examination) -> None:
        self.task = task
        self.examination = examination
        self.make = maker(task.entrant, examination, task.device)

    def observe(self, indices: Sequence[int], progress: Progress = lambda *_: None) -> None:
        with self.task.open_journal() as journal:
            observe(self.make, self.examination, journal, indices, progress, self._keep)

    def _keep(self, picture: Tensor, sample: PairedSample) -> None:
        """As people see it: a PNG of 8 bits."""
        (shown,) = target_pictures(picture, self.examination.samples.target)
        images.write(self.task.picture(sample.names[0]), shown)


def share(task: Task, indices: Sequence[int], num_processes: int, progress: Progress = lambda *_: None) -> None:
    """Observes samples by several processes, which have torch's threads in equal parts.

    Args:
        task: what is worked on.
        indices: of the samples.
        num_processes: at least 1.
        progress: is told how many are done.

    Interrupted, or when one of them fails, no further samples are begun: what is left of a portion may take minutes.

    Raises:
        InputError: as ``evaluate``; or the system ended a process, for want of memory perhaps.
    """
    portions = [indices[first : first + PORTION] for first in range(0, len(indices), PORTION)]
    threads = max(1, torch.get_num_threads() // num_processes)
    # Not by forking: torch's threads would not survive it.
    spawn = multiprocessing.get_context("spawn")
    end = spawn.Event()
    try:
        with ProcessPoolExecutor(num_processes, spawn, _begin, (task, threads, end)) as pool:
            # The processes are started here. Ctrl-C on a terminal goes to all of them too: it is to end their work, see
            # ``_observe``, not what they import.
            with _on_interruption(signal.SIG_IGN):
                futures = {pool.submit(_observe, portion): len(portion) for portion in portions}
            done = 0
            try:
                for future in as_completed(futures):
                    future.result()
                    progress(done := done + futures[future], len(indices))
            except BaseException:
                end.set()
                pool.shutdown(cancel_futures=True)
                raise
    except BrokenProcessPool as error:
        raise InputError(
            f"one of {num_processes} processes was ended, for want of memory perhaps: try fewer --processes; what they "
            "have observed is kept"
        ) from error


_workers: list[Worker | Exception] = []
"""Of a process that was started to work: one, or why there is none. It is told with the first portion, since a process
that fails when it begins would say nothing of it."""

_ends: list[Event] = []
"""Of the same process: set when no more samples are to be begun."""


def _begin(task: Task, threads: int, end: Event) -> None:
    _ends.append(end)
    torch.set_num_threads(threads)
    keep_freed_memory()
    try:
        _workers.append(Worker(task, prepare(task.setting)))
    except Exception as error:
        _workers.append(error)


def _observe(portion: Sequence[int]) -> None:
    (worker,), (end,) = _workers, _ends
    if isinstance(worker, Exception):
        raise worker
    with _on_interruption(signal.default_int_handler):
        for index in portion:
            if end.is_set():
                return
            worker.observe([index])


@contextmanager
def _on_interruption(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    """Within it, Ctrl-C does this; but beside the main thread, which alone may say so, what it did."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
