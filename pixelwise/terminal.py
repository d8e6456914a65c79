"""What people see on a terminal: messages, a bar, how each of many pictures went."""

from __future__ import annotations

import sys
from collections import defaultdict
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from pixelwise.translate.jobs import Outcome
    from pixelwise.translate.large import RowsDone

# File names are shown as they are: neither marked up nor broken into lines.
console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def fail(text: str) -> NoReturn:
    """Says what is wrong and ends the process with status 1."""
    console.print(text, style="red")
    sys.exit(1)


@contextmanager
def progress_bar() -> Iterator[Callable[..., None]]:
    """Shown on a terminal only; to be called with what is done and all that there is, and perhaps of what."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what="": bar.update(task, completed=done, total=total, description=what)


def tell(run: Callable[[RowsDone], Generator[Outcome, None, None]], num_planned: int, out: Path) -> None:
    """Does what ``run`` does, and says how each of it went. Exit status 1 if something failed."""
    outcomes: list[Outcome] = []
    try:
        with progress_bar() as show:

            def show_rows(done: int, of_all: int) -> None:
                show(len(outcomes) + done / of_all, num_planned)

            with closing(run(show_rows)) as running:
                for outcome in running:
                    outcomes.append(outcome)
                    show(len(outcomes), num_planned)
    finally:
        if outcomes:
            _summarise(outcomes, num_planned, out)
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(1)


def _summarise(outcomes: Sequence[Outcome], num_planned: int, out: Path) -> None:
    from pixelwise.translate.jobs import speed_text

    num_done = sum(outcome.error is None for outcome in outcomes)
    print(f"{num_done} of {num_planned} translated to {out}" + (f": {speed_text(outcomes)}" if num_done else ""))
    told = defaultdict(list)
    for outcome in outcomes:
        for remark in outcome.remarks:
            told[remark].append(outcome.job.source)
    for remark, sources in told.items():
        others = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        console.print(f"note: {sources[0]}{others}: {remark}")
    for outcome in outcomes:
        if outcome.error is not None:
            console.print(f"failed: {outcome.error}", style="red")
