"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Makes ``path`` by a rename, once its content is complete and on the disk.

    Args:
        path: the final name; folders above it are made. What stood there stays untouched until the rename.
        write: called with a free name beside ``path``, of the same suffix, which it must create.

    Raises:
        Whatever ``write`` raises, and OSError (disk full, no permission). Nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        write(beside)
        descriptor = os.open(beside, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def remove_leftovers(folder: Path) -> None:
    """Removes what killed writers left unfinished in ``folder`` or below. None may be at work there just now."""
    for beside in folder.rglob(".*.partial*"):
        beside.unlink(missing_ok=True)
