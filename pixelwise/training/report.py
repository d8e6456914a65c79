"""What a run tells: a bar for people, lines for logs, JSON lines and TensorBoard for later."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from pixelwise.atomic import write_text
from pixelwise.errors import InputError

SECONDS_BETWEEN_LINES = 30.0
SECONDS_OF_ESTIMATE = 600.0


class Report:
    """Shows and records the progress of a run. Silent when it isn't the first process's.

    On a terminal there is a bar, elsewhere a line now and then; both with losses, images per second and the time left.

    Args:
        folder: gets ``log.jsonl``, and TensorBoard's files where TensorBoard is installed.
        first_step, steps: steps done so far and in all. What was recorded beyond ``first_step`` is dropped: the run was
            stopped after it, and does it again.
        speaks: whether this is the process that writes and speaks.

    Raises:
        InputError: here and in ``step``, when the log cannot be written.
    """

    def __init__(self, folder: Path, first_step: int, steps: int, speaks: bool) -> None:
        self.speaks = speaks
        self.steps = steps
        # Soft wrap: a log's reader has another width than whoever writes it.
        self.console = Console(quiet=not speaks, soft_wrap=True)
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        self.bar = Progress(
            *columns,
            console=self.console,
            disable=not (speaks and self.console.is_terminal),
            speed_estimate_period=SECONDS_OF_ESTIMATE,
        )
        self.task = self.bar.add_task("", total=steps, completed=first_step)
        self.first_step, self.num_images = first_step, 0
        self.started, self.last_line = time.monotonic(), float("-inf")
        self.log = folder / "log.jsonl"
        self.board = _tensorboard(folder, first_step) if speaks else None
        if speaks:
            _keep_lines_until(self.log, first_step)

    def __enter__(self) -> Report:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()
        if self.board is not None:
            self.board.close()

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False)

    def step(self, step: int, losses: Mapping[str, Tensor], scores: Mapping[str, float], num_images: int) -> None:
        """After each step: shows losses and speed, and writes them down now and then, scores whenever there are some.

        Args:
            step: steps done.
            losses: of this step, by name.
            scores: of a validation after this step, by name; usually none.
            num_images: that the step has seen.
        """
        if not self.speaks:
            return
        self.num_images += num_images
        now = time.monotonic()
        if self.console.is_terminal:
            self.bar.update(self.task, completed=step, description=self._text(losses, now))
        due = now - self.last_line > SECONDS_BETWEEN_LINES or step == self.steps
        if due and not self.console.is_terminal:
            self.say(f"step {step}/{self.steps}  {self._text(losses, now)}  {self._time_left(step, now)} left")
        if scores:
            self.say(f"step {step}: validation " + "  ".join(f"{name} {score:.4f}" for name, score in scores.items()))
        if due or scores:
            self.last_line = now
            validation = {f"validation/{name}": score for name, score in scores.items()}
            self._record(step, {name: float(loss) for name, loss in losses.items()} | validation)

    def _record(self, step: int, values: Mapping[str, float]) -> None:
        try:
            with self.log.open("a") as file:
                file.write(json.dumps({"step": step, **values}) + "\n")
        except OSError as error:
            raise InputError(f"{self.log}: cannot be written ({error})") from error
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def _text(self, losses: Mapping[str, Tensor], now: float) -> str:
        terms = "  ".join(f"{name} {float(loss):.3f}" for name, loss in losses.items())
        return f"{terms}  {self.num_images / max(now - self.started, 1e-9):.2f} images/s"

    def _time_left(self, step: int, now: float) -> timedelta:
        seconds_per_step = (now - self.started) / (step - self.first_step)
        return timedelta(seconds=round(seconds_per_step * (self.steps - step)))


def _tensorboard(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder / "tensorboard", purge_step=first_step + 1)


def _keep_lines_until(log: Path, step: int) -> None:
    lines = log.read_text().splitlines() if log.exists() else []
    kept = "".join(f"{line}\n" for line in lines if _step_of(line) <= step)
    try:
        write_text(log, kept)
    except OSError as error:
        raise InputError(f"{log}: cannot be written ({error})") from error


def _step_of(line: str) -> float:
    """The step of a log's line; infinity where a line was cut short by the end of the machine, not of the run."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, LookupError, TypeError):
        return float("inf")
