from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread, Timer
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.errors import InputError
from pixelwise.evaluation.journal import PATIENCE, Journal, sample_digest
from pixelwise.images import ImageSpec
from pixelwise.metrics.complexity import CPU
from pixelwise.metrics.memory import grown_bytes

FEATURES = np.arange(5, dtype=np.float32)
DIGEST, OTHER = b"a sample", b"another one"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model" / "journal.sqlite"


def test_observations_are_what_they_were(path: Path) -> None:
    with Journal(path, "this") as journal:
        journal.add(1, DIGEST, {"a": np.float64(0.1), "b": FEATURES + 1})
        journal.add(0, DIGEST, {"a": np.float64(np.nan), "b": FEATURES})
    with Journal(path, "this") as journal:
        scores, features = journal.observations("a"), journal.observations("b")
        assert [np.isnan(score) for score in scores] == [True, False]
        assert (scores[1], scores[1].dtype, scores[1].ndim) == (0.1, np.float64, 0)
        assert np.array_equal(np.stack(list(features)), np.stack([FEATURES, FEATURES + 1]))
        assert features[1].dtype == np.float32
        assert (len(features), [len(part) for part in features[0:2]]) == (2, [5, 5])
        with pytest.raises(IndexError):
            features[2]


def test_what_lacks_a_measure_is_missing(path: Path) -> None:
    with Journal(path, "this") as journal:
        journal.add(0, DIGEST, {"a": FEATURES, "b": FEATURES})
        journal.add(2, DIGEST, {"a": FEATURES})
        assert journal.missing([DIGEST] * 4, ["a"]) == [1, 3]
        assert journal.missing([DIGEST] * 4, ["a", "b"]) == [1, 2, 3]
        journal.add(2, DIGEST, {"b": FEATURES})
        assert journal.missing([DIGEST] * 4, ["a", "b"]) == [1, 3]


def test_what_was_observed_of_another_sample_does_not_count(path: Path) -> None:
    with Journal(path, "this") as journal:
        journal.add(0, DIGEST, {"a": FEATURES, "b": FEATURES})
        journal.add(0, OTHER, {"a": FEATURES + 1})
        assert not journal.lacks(0, OTHER, ["a"])
        assert journal.lacks(0, OTHER, ["b"])
        assert journal.lacks(0, DIGEST, ["a"])
        assert np.array_equal(journal.observations("a")[0], FEATURES + 1)


def test_a_digest_is_of_where_a_target_was_measured_too() -> None:
    flat = torch.zeros(1, 1, 2, 2)
    samples: Any = SimpleNamespace(spec=ConditionSpec(image_channels=1), target=ImageSpec(1, holes=True))
    sample = PairedSample(Condition(image=flat), flat, ("a",), valid=flat == 0)
    assert sample_digest(sample, samples) != sample_digest(replace(sample, valid=flat > 0), samples)


def test_an_interrupted_sample_leaves_nothing(path: Path) -> None:
    with Journal(path, "this") as journal:
        with pytest.raises(ValueError, match="allow_pickle"):
            journal.add(0, DIGEST, {"a": FEATURES, "b": np.array([object()])})
        assert journal.missing([DIGEST], ["a"]) == [0]


def test_several_may_write_at_once(path: Path) -> None:
    def write(start: int) -> None:
        with Journal(path, "this") as journal:
            for sample in range(start, 40, 4):
                journal.add(sample, DIGEST, {"a": np.float64(sample)})

    threads = [Thread(target=write, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Journal(path, "this") as journal:
        assert [float(value) for value in journal.observations("a")] == list(range(40))


def test_a_journal_waits_for_who_writes_to_a_new_file(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with (
            closing(sqlite3.connect(path, timeout=PATIENCE)) as hasty,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            hasty.execute("PRAGMA journal_mode = WAL")
        assert time.monotonic() - begun < PATIENCE / 2, "SQLite waits by itself: no need to"
        soon = Timer(0.2, lambda: other.execute("COMMIT"))
        soon.start()
        Journal(path, "this").close()
        soon.join()


def test_a_journal_is_not_waited_for_forever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.evaluation.journal.PATIENCE", 0.1)
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match=r"journal\.sqlite: .*not writable \(database is locked\)"):
            Journal(path, "this")


def test_another_subjects_journal_is_refused(path: Path) -> None:
    Journal(path, "this").close()
    with pytest.raises(InputError, match=r"journal\.sqlite: holds what was observed of this; .*, expected that; "):
        Journal(path, "that")


def test_no_journal_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else, long enough to be looked at" * 10)
    with pytest.raises(InputError, match=r"journal\.sqlite: not a journal of observations"):
        Journal(path, "this")
    assert path.read_bytes().startswith(b"something else")
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE about (other TEXT)")
    connection.close()
    with pytest.raises(InputError, match="not a journal"):
        Journal(path, "this")


def test_what_other_versions_observed_is_not_gone_on_with(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.machine.versions", lambda: {"python": "3.10", "torch": "0.1", "jpg": "9"})
    Journal(path, "this").close()
    monkeypatch.setattr("pixelwise.machine.versions", lambda: {"python": "3.10", "torch": "0.2", "libjpeg_turbo": "3"})
    differing = "torch 0.1 then and 0.2 now, jpg 9 then and absent now, libjpeg_turbo absent then and 3 now"
    what_to_do = "go on with those that it was begun with, or name another folder to begin anew"
    with pytest.raises(
        InputError, match=rf"journal\.sqlite: was begun with other versions: {differing}; {what_to_do}$"
    ):
        Journal(path, "this")
    with pytest.raises(InputError, match=r"observed of this; python 3.10, .*, expected that; python 3.10, "):
        Journal(path, "that")


def test_without_a_path_hardly_anything_is_in_memory() -> None:
    def run() -> Tensor:
        with Journal(None, "this") as journal:
            for sample in range(64):
                journal.add(sample, DIGEST, {"a": np.zeros(1 << 20, np.uint8)})
            return torch.tensor(len(journal.observations("a")))

    grown = grown_bytes(run, CPU)
    assert grown is None or grown < 16 << 20
