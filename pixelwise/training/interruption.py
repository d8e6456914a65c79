"""Ctrl-C while a step is being done: the step is finished, and nothing is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interruption:
    """Whether an end has been asked for."""

    asked: bool = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """What Ctrl-C calls. Raises KeyboardInterrupt the second time: who asks twice doesn't want to wait."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def leave_to_the_main_process(worker: int) -> None:
    """Has a process that reads samples ignore Ctrl-C, which a terminal sends to all: the step that is being done needs
    them still."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def interruption(num_processes: int) -> Iterator[Interruption]:
    """Within it, the first Ctrl-C is only taken note of.

    Not where several processes share a run: they might stop after different steps, and wait for each other for ever.
    Nor beside the main thread, which alone may say what a signal does.
    """
    heard = Interruption()
    if num_processes > 1 or threading.current_thread() is not threading.main_thread():
        yield heard
        return
    before = signal.signal(signal.SIGINT, heard.ask)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)
