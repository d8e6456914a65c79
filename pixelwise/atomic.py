"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from pixelwise.errors import InputError

_NUM_SYNCS = 16

_LONG_NAME = 200
"""Bytes; file systems have up to 255."""

_BESIDE = re.compile(r"\..+\.(\d{1,9})\.partial(\.[^.]*)?")
"""What ``_beside`` makes, and in it the number of the process that writes."""


def check_free(path: Path, overwrite: bool) -> None:
    """Raises InputError if there is a file already, unless it may be replaced."""
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already, and may be replaced with --overwrite only")


def check_writable(path: Path) -> None:
    """Raises InputError where no file can be written: before the work whose results it is to hold."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder, expected a file's name")
    above = next(place for place in path.absolute().parents if place.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written: {above} is no folder that may be written to")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Makes ``path`` by a rename, once its content is complete and on the disk.

    Args:
        path: the final name; folders above it are made. What stood there stays untouched until the rename.
        write: called with a free name beside ``path``, of the same suffix, which it must create.

    Raises:
        Whatever ``write`` raises, and OSError (disk full, no permission). Nothing is left behind then.
    """
    with replacement(path) as beside:
        write(beside)


def write_text(path: Path, text: str) -> None:
    """``write_atomically`` of a text, in UTF-8."""
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))


@contextmanager
def replacement(path: Path) -> Iterator[Path]:
    """``write_atomically`` for content that comes bit by bit: the name beside ``path``, which becomes it at the end.

    Raises:
        OSError: disk full or no permission. After any error nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path)
    try:
        yield beside
        _sync(beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def folder_replacement(path: Path) -> Iterator[Path]:
    """A new folder beside ``path``, which becomes it at the end; what stood there, with all in it, is removed then.

    Raises:
        OSError: disk full or no permission. After any error nothing is left behind, and all is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path)
    former = path.with_name(f".{path.name}.{os.getpid()}.former")
    try:
        beside.mkdir()
        yield beside
        # Together: the system writes what many wait for at once.
        with ThreadPoolExecutor(_NUM_SYNCS) as pool:
            list(pool.map(_sync, filter(Path.is_file, beside.rglob("*"))))
        if path.exists():
            path.rename(former)
        beside.rename(path)
    except BaseException:
        if former.exists():
            if path.exists():
                path.rename(beside)
            former.rename(path)
        shutil.rmtree(beside, ignore_errors=True)
        raise
    shutil.rmtree(former, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Removes what killed writers left unfinished in ``folder``, but not below it. None of this process may be at work
    there just now; what others on this machine are at work on stays."""
    for beside in list(folder.glob(".*.partial*")):
        writer = _BESIDE.fullmatch(beside.name)
        if writer is None or _is_at_work(int(writer[1])):
            continue
        if beside.is_dir():
            shutil.rmtree(beside)
        else:
            beside.unlink(missing_ok=True)


def _is_at_work(process: int) -> bool:
    """Whether there is another process of this number."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _beside(path: Path) -> Path:
    # What is added must not make a name too long that is not.
    stem = path.stem if len(name := os.fsencode(path.name)) < _LONG_NAME else hashlib.sha256(name).hexdigest()
    return path.with_name(f".{stem}.{os.getpid()}.partial{path.suffix}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
