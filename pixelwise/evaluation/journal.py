"""What was observed of each picture, kept on the disk as it is observed: nothing is lost when work is interrupted."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from pixelwise import machine
from pixelwise.condition import PairedSample
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS about (subject TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS observations (
        measure TEXT NOT NULL, sample INTEGER NOT NULL, digest BLOB NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (measure, sample)
    ) WITHOUT ROWID;
"""
_BY = "; "
"""Between what is observed and the versions that observe it."""

PATIENCE = 60.0
"""Seconds that one process waits for another to have written."""
_BETWEEN_ATTEMPTS = 0.01
"""Seconds from one attempt to the next where SQLite itself does not wait."""


def sample_digest(sample: PairedSample, samples: PairedData) -> bytes:
    """SHA-256 of all that one of these samples holds, and of their specs, which say what it means."""
    specs = {"condition": samples.spec.to_json(), "target": samples.target.to_json()}
    found = hashlib.sha256(json.dumps(specs).encode())
    for part in (*sample.condition.planes().values(), sample.target, sample.valid):
        if part is not None:
            found.update(part.contiguous().numpy().tobytes())
    return found.digest()


class Journal:
    """Observations of one model's pictures, in an SQLite file that several processes may write to.

    With each observation stands which sample it is of: what was observed of another one of the same name, before the
    data or what their spec says changed, does not count. What other versions observed is refused: figures of two of
    them do not mix.

    Args:
        path: the file; made if it is not there. None: a temporary one, for this process alone.
        subject: what is observed, in words. Observations of something else are not gone on with.

    Raises:
        InputError: the file is none of these, of another subject or other versions, or cannot be written.
    """

    def __init__(self, path: Path | None, subject: str) -> None:
        self._path = path
        about = f"{subject}{_BY}{machine.versions_text(machine.versions())}"
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            # Without a name SQLite makes a file of its own, of which memory holds little.
            self.connection = sqlite3.connect(path or "", timeout=PATIENCE)
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"{path}: cannot be written: {error}") from error
        try:
            # Written beside what is read, and safe after a crash of this process, if not of the system.
            _write_ahead(self.connection)
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self.connection.executescript(_SCHEMA)
            with self.connection:
                self.connection.execute("INSERT INTO about SELECT ? WHERE NOT EXISTS (SELECT * FROM about)", (about,))
            (found,) = self.connection.execute("SELECT subject FROM about").fetchone()
        except sqlite3.Error as error:
            self.close()
            raise InputError(f"{path}: not a journal of observations, or not writable ({error})") from error
        if found != about:
            self.close()
            raise InputError(f"{path}: {_difference(found, about, subject)}")

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lacks(self, sample: int, digest: bytes, measures: Sequence[str]) -> bool:
        """Whether some of ``measures`` have observed nothing yet of the sample of this number and ``sample_digest``."""
        query = "SELECT NULL FROM observations WHERE measure = ? AND sample = ? AND digest = ?"
        return any(self.connection.execute(query, (name, sample, digest)).fetchone() is None for name in measures)

    def missing(self, digests: Sequence[bytes], measures: Sequence[str]) -> list[int]:
        """Of the samples with these digests, in order, the numbers of those of which it ``lacks`` something."""
        return [sample for sample, digest in enumerate(digests) if self.lacks(sample, digest, measures)]

    def add(self, sample: int, digest: bytes, observations: Mapping[str, np.ndarray]) -> None:
        """Keeps what the measures observed of a sample: all of it or, if interrupted, nothing."""
        rows = [(measure, sample, digest, _to_bytes(value)) for measure, value in observations.items()]
        try:
            with self.connection:
                self.connection.executemany("INSERT OR REPLACE INTO observations VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            place, kept = ("a temporary file", "") if self._path is None else (self._path, "; what it holds is kept")
            raise InputError(f"{place}: cannot be written: {error}{kept}") from error

    def observations(self, measure: str) -> Sequence[np.ndarray]:
        """What ``measure`` observed of every sample, in order, read from the disk when it is asked for."""
        return _Observations(self.connection, measure)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turns write-ahead logging on, and waits for others that open the same file.

    SQLite reads the file before it asks to write here, and who reads already is refused at once instead of waiting.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(_BETWEEN_ATTEMPTS)


def _difference(found: str, expected: str, subject: str) -> str:
    """Why a journal of what was found is not gone on with, and what to do; in words."""
    if not found.startswith(subject + _BY):
        return f"holds what was observed of {found}, expected {expected}; name another folder"
    then, now = (machine.versions_from(text.removeprefix(subject + _BY)) for text in (found, expected))
    return (
        f"was begun with other versions: {machine.differing_versions(then, now)}; go on with those that it was begun "
        "with, or name another folder to begin anew"
    )


class _Observations(Sequence[np.ndarray]):
    def __init__(self, connection: sqlite3.Connection, measure: str) -> None:
        self.connection = connection
        self.measure = measure

    def __len__(self) -> int:
        query = "SELECT COUNT(*) FROM observations WHERE measure = ?"
        return int(self.connection.execute(query, (self.measure,)).fetchone()[0])

    @overload
    def __getitem__(self, place: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, place: slice) -> list[np.ndarray]: ...
    def __getitem__(self, place: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        query = "SELECT value FROM observations WHERE measure = ? AND sample = ?"
        row = self.connection.execute(query, (self.measure, place)).fetchone()
        if row is None:
            raise IndexError(place)
        return _from_bytes(row[0])

    def __iter__(self) -> Iterator[np.ndarray]:
        query = "SELECT value FROM observations WHERE measure = ? ORDER BY sample"
        return (_from_bytes(value) for (value,) in self.connection.execute(query, (self.measure,)))


def _to_bytes(value: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, value, allow_pickle=False)
    return content.getvalue()


def _from_bytes(content: bytes) -> np.ndarray:
    value: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
    return value
