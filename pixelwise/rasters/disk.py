"""Room on the disk: asked for before, and missed by name while writing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixelwise.errors import InputError


def check_space(path: Path, num_bytes: int) -> None:
    """Raises InputError unless so many bytes are free on the disk where ``path`` will lie; its folder may not exist."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    free = shutil.disk_usage(folder).free
    if free < num_bytes:
        raise InputError(f"{path}: takes up to {_text(num_bytes)}, but only {_text(free)} are free on its disk")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within it, what the system refuses (disk full, no permission) becomes an InputError that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _text(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:.1f} MB"
