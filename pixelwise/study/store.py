"""One SQLite file: the study, who rates, and every answer, which is on the disk before the rater sees the next pair."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import astuple
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pixelwise.atomic import replacement
from pixelwise.errors import InputError
from pixelwise.study.design import Picture, Study
from pixelwise.study.pictures import check_unchanged, read_unchanged
from pixelwise.study.raters import Answer, OutOfTurn, Rater, UnknownRater, rater_name
from pixelwise.study.trials import trials_of

_APPLICATION = int.from_bytes(b"pxst", "big")
"""Says in a database's header what it is, see https://www.sqlite.org/fileformat2.html#application_id."""

_VERSION = 1
_BUSY_SECONDS = 30

_TABLES = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE study (description TEXT NOT NULL);
CREATE TABLE pictures (sha256 TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE raters (name TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE);
CREATE TABLE answers (
    rater TEXT NOT NULL REFERENCES raters (name),
    trial INTEGER NOT NULL,
    is_catch INTEGER NOT NULL,
    scene TEXT NOT NULL,
    "left" TEXT NOT NULL,
    "right" TEXT NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('left', 'right')),
    milliseconds INTEGER NOT NULL CHECK (milliseconds >= 0),
    given TEXT NOT NULL,
    PRIMARY KEY (rater, trial)
);
"""


class Store:
    """A study and its answers. May be used by several threads, and a file by several processes, at once."""

    def __init__(self, path: Path) -> None:
        """Raises InputError: no such file, or not a study, or one of a newer version."""
        if not path.is_file():
            raise InputError(f"{path}: no such study; `pixelwise study prepare` makes one")
        self.path = path
        with _connected(path) as connection:
            _check_kind(path, connection)
            (description,) = connection.execute("SELECT description FROM study").fetchone()
        try:
            self.study = Study.from_json(json.loads(description))
        except ValueError as error:
            raise InputError(f"{path}: its description is damaged: {error}") from error

    def admit(self, name: str) -> Rater:
        """The rater of this name, new or not: whoever gives a name again goes on where it stopped.

        Args:
            name: as the rater wrote it.

        Raises:
            InputError: it is no name, see ``rater_name``.
        """
        name = rater_name(name)
        with _connected(self.path) as connection:
            connection.execute("INSERT OR IGNORE INTO raters VALUES (?, ?)", (name, secrets.token_urlsafe(16)))
            return Rater(*connection.execute("SELECT * FROM raters WHERE name = ?", (name,)).fetchone())

    def rater(self, token: str) -> Rater:
        """Raises UnknownRater."""
        with _connected(self.path) as connection:
            found = connection.execute("SELECT * FROM raters WHERE token = ?", (token,)).fetchone()
        if found is None:
            raise UnknownRater
        return Rater(*found)

    def num_answered(self, rater: Rater) -> int:
        """Which is also the number of the rater's next trial."""
        with _connected(self.path) as connection:
            return _num_answered(connection, rater)

    def answer(self, rater: Rater, number: int, choice: str, milliseconds: int) -> None:
        """Keeps an answer: when this returns, it is on the disk.

        Args:
            rater: whose.
            number: of the trial, from 0.
            choice: "left" or "right".
            milliseconds: from when both pictures were seen.

        Raises:
            OutOfTurn: it is not this trial's turn; nothing was changed.
            InputError: it cannot be written.
        """
        given = datetime.now(timezone.utc).isoformat(timespec="seconds")
        with _connected(self.path) as connection, _transaction(connection):
            expected = _num_answered(connection, rater)
            if number != expected or number >= self.study.num_trials:
                raise OutOfTurn(expected)
            trial = trials_of(self.study, rater.name)[number]
            sides = trial.left.name, trial.right.name
            kept = Answer(rater.name, number, trial.is_catch, trial.scene, *sides, choice, milliseconds, given)
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(kept))

    def answers(self) -> list[Answer]:
        """All, rater by rater, in the order in which raters came, and in which they answered."""
        query = "SELECT answers.* FROM answers JOIN raters ON rater = name ORDER BY raters.rowid, trial"
        with _connected(self.path) as connection:
            rows = connection.execute(query).fetchall()
        return [Answer(name, trial, bool(is_catch), *others) for name, trial, is_catch, *others in rows]

    def content(self, picture: Picture) -> bytes:
        """The bytes of one of the study's pictures. Raises InputError if they are not what they were."""
        if picture.path:
            return read_unchanged(self._file(picture), picture.sha256)
        with _connected(self.path) as connection:
            query = "SELECT content FROM pictures WHERE sha256 = ?"
            found: tuple[bytes] | None = connection.execute(query, (picture.sha256,)).fetchone()
        if found is None:
            raise InputError(f"{self.path}: lacks the picture {picture.sha256}, it may be damaged")
        return found[0]

    def check_pictures(self) -> None:
        """Raises InputError, naming the first few, if pictures changed since the study was prepared."""
        check_unchanged({self._file(picture): picture.sha256 for picture in self.study.files()})

    def _file(self, picture: Picture) -> Path:
        return self.path.parent.resolve() / picture.path


def check_free(path: Path, overwrite: bool) -> None:
    """Raises InputError if a study may not be written there: there is something, and it is not to be replaced, or has
    answers, or is no study.
    """
    if not path.exists():
        return
    if not overwrite:
        raise InputError(f"{path} is there already, and may be replaced with --overwrite only")
    if answers := Store(path).answers():
        raise InputError(f"{path} holds {len(answers)} answers, so it is not replaced; expected another name")


def create(path: Path, study: Study, pictures: Mapping[str, bytes], overwrite: bool = False) -> None:
    """Writes a study without answers, whole or not at all.

    Args:
        path: see ``prepare``.
        study: its description.
        pictures: those that it keeps itself, by their SHA-256.
        overwrite: see ``check_free``.

    Raises:
        InputError: see ``check_free``.
        OSError: disk full or no permission.
    """
    with replacement(path) as beside:
        with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.executescript(_TABLES)
            connection.execute("INSERT INTO study VALUES (?)", (json.dumps(study.to_json()),))
            connection.executemany("INSERT INTO pictures VALUES (?, ?)", pictures.items())
        check_free(path, overwrite)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Statements by themselves are transactions. What SQLite refuses becomes an InputError that names the file."""
    try:
        # Opened so, a file that is not there is not made.
        with closing(
            sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
            )
        ) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
    except sqlite3.Error as error:
        raise InputError(f"{path}: {error}; expected a study that `pixelwise study prepare` wrote") from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Nobody else writes between what is read within it and what is written."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_kind(path: Path, connection: sqlite3.Connection) -> None:
    def header(field: str) -> Any:
        return connection.execute(f"PRAGMA {field}").fetchone()[0]

    if header("application_id") != _APPLICATION:
        raise InputError(f"{path}: is a database of something else; expected one that `pixelwise study prepare` wrote")
    if (version := header("user_version")) != _VERSION:
        raise InputError(f"{path}: is a study of version {version}; this pixelwise knows version {_VERSION}")


def _num_answered(connection: sqlite3.Connection, rater: Rater) -> int:
    (count,) = connection.execute("SELECT count(*) FROM answers WHERE rater = ?", (rater.name,)).fetchone()
    return int(count)
