import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import cast

import pytest

from pixelwise.cli import main
from pixelwise.render import ENGINES
from pixelwise.render.engine import Engine
from pixelwise.render.reference import render_reference

Command = Callable[..., int]


@contextmanager
def _no_file_beyond(num_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """Within ``full_disk(n)`` the system refuses to write any file beyond n bytes, in the middle of writing it."""
    return _no_file_beyond


@pytest.fixture
def only_engines() -> Iterator[Callable[..., None]]:
    """``only_engines(name=engine)`` has no others be there, but the reference, until the test is over."""
    engines = cast("dict[str, Engine]", ENGINES)
    before = dict(engines)

    def only(**others: Engine) -> None:
        engines.clear()
        engines.update({**others, "reference": Engine(render_reference)})

    yield only
    # In their order, which counts: pytest's own way to take them out would put them back in another.
    engines.clear()
    engines.update(before)


@pytest.fixture
def pixelwise_command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command and returns its exit status."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["pixelwise", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run
