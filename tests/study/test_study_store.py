"""Answers are kept, once each, whatever happens."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from made_up_study import answer_all, made_up, small_study

from pixelwise.errors import InputError
from pixelwise.study import Store
from pixelwise.study.raters import OutOfTurn, Rater, UnknownRater
from pixelwise.study.store import check_free, create

ANSWER_ON = """
import sys
from pathlib import Path
from pixelwise.study import Store
store = Store(Path(sys.argv[1]))
rater = store.admit("anna")
for number in range(store.num_answered(rater), store.study.num_trials):
    store.answer(rater, number, "left", 1)
    print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    create(tmp_path / "study.sqlite", made_up("ab", 30, num_catches=3), {})
    return Store(tmp_path / "study.sqlite")


def test_who_returns_goes_on_where_they_stopped(store: Store) -> None:
    rater = store.admit("anna")
    store.answer(rater, 0, "left", 900)
    store.answer(rater, 1, "right", 800)
    again = Store(store.path)
    assert again.admit("  anna ") == rater == again.rater(rater.token)
    assert again.num_answered(rater) == 2
    answer_all(again, rater, "a")
    assert again.num_answered(rater) == again.study.num_trials == 33
    assert [answer.choice for answer in again.answers()][:2] == ["left", "right"]


def test_names_are_kept_apart(store: Store) -> None:
    tokens = {store.admit(name).token for name in ("anna", "Anna", "anna 2", "Zoë")}
    assert len(tokens) == 4
    assert store.admit("Zoe\u0308").name == "Zoë"
    for name in ("", "   ", "a" * 81, "=1+1", "-x", "a\0b", "\ud800"):
        with pytest.raises(InputError, match="1 to 80 characters"):
            store.admit(name)
    with pytest.raises(UnknownRater):
        store.rater("anna")


def test_answers_come_in_turn_and_once(store: Store) -> None:
    rater = store.admit("anna")
    store.answer(rater, 0, "left", 900)
    for number in (0, 2, 33, -1):
        with pytest.raises(OutOfTurn) as refused:
            store.answer(rater, number, "right", 900)
        assert refused.value.expected == 1
    answer_all(store, rater, "a")
    with pytest.raises(OutOfTurn):
        store.answer(rater, 33, "left", 900)
    assert [answer.trial for answer in store.answers()] == list(range(33))
    assert store.answers()[0].choice == "left"


def test_two_tabs_at_once_answer_a_trial_once(store: Store) -> None:
    rater = store.admit("anna")

    def answer_on(choice: str) -> int:
        num_kept = 0
        while (number := store.num_answered(rater)) < store.study.num_trials:
            try:
                store.answer(rater, number, choice, 1)
            except OutOfTurn:
                continue
            num_kept += 1
        return num_kept

    with ThreadPoolExecutor(2) as tabs:
        kept = list(tabs.map(answer_on, ("left", "right")))
    assert sum(kept) == store.study.num_trials
    choices = [answer.choice for answer in store.answers()]
    assert [choices.count("left"), choices.count("right")] == kept


def test_a_killed_server_loses_no_answer(store: Store) -> None:
    for stop_after in (1, 9):
        before = len(store.answers())
        process = subprocess.Popen([sys.executable, "-c", ANSWER_ON, store.path], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(stop_after)]
        process.send_signal(signal.SIGKILL)
        told += map(int, process.communicate()[0].splitlines())
        assert told == list(range(before, before + len(told)))
        assert len(store.answers()) - before - len(told) in (0, 1)
    assert [answer.trial for answer in store.answers()] == list(range(len(store.answers())))


def test_a_full_disk_loses_no_answer(store: Store, full_disk: Callable[[int], AbstractContextManager[None]]) -> None:
    rater = store.admit("anna")
    store.answer(rater, 0, "left", 1)
    with full_disk(100), pytest.raises(InputError, match=r"study\.sqlite: "):
        store.answer(rater, 1, "left", 1)
    assert store.num_answered(rater) == 1
    store.answer(rater, 1, "right", 1)
    assert [answer.choice for answer in store.answers()] == ["left", "right"]


def test_answers_of_two_raters_are_told_apart(store: Store) -> None:
    for name in ("zoe", "anna"):
        store.answer(store.admit(name), 0, "left", 1)
    assert [answer.rater for answer in store.answers()] == ["zoe", "anna"]
    with pytest.raises(InputError):
        store.answer(Rater("nobody", "x"), 0, "up", 1)


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.sqlite: no such study"):
        Store(tmp_path / "nowhere.sqlite")
    (tmp_path / "text").write_text("no database" * 100)
    with pytest.raises(InputError, match=r"text: file is not a database"):
        Store(tmp_path / "text")
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE answers (x)")
    with pytest.raises(InputError, match=r"other: is a database of something else"):
        Store(tmp_path / "other")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("PRAGMA user_version = 2", "is a study of version 2; this pixelwise knows version 1"),
        ("UPDATE study SET description = '{'", "its description is damaged"),
        ("UPDATE study SET description = '{}'", "its description is damaged"),
        ("DROP TABLE study", "no such table: study"),
    ],
)
def test_studies_of_another_version_or_damaged_are_refused(store: Store, change: str, message: str) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
        connection.execute(change)
    with pytest.raises(InputError, match=message):
        Store(store.path)


def test_a_study_is_replaced_only_when_asked_and_never_with_answers(store: Store) -> None:
    other = made_up("xy", 3)
    with pytest.raises(InputError, match="may be replaced with --overwrite only"):
        create(store.path, other, {})
    create(store.path, other, {}, overwrite=True)
    store = Store(store.path)
    assert store.study == other
    store.answer(store.admit("anna"), 0, "left", 1)
    with pytest.raises(InputError, match="holds 1 answers, so it is not replaced"):
        create(store.path, made_up("ab", 3), {}, overwrite=True)
    assert len(Store(store.path).answers()) == 1
    (store.path.parent / "photo.png").write_bytes(b"mine")
    with pytest.raises(InputError, match="not a database"):
        check_free(store.path.parent / "photo.png", overwrite=True)
    assert sorted(path.name for path in store.path.parent.iterdir()) == ["photo.png", "study.sqlite"]


def test_pictures_that_changed_are_noticed(tmp_path: Path) -> None:
    store = small_study(tmp_path)
    store.check_pictures()
    (tmp_path / "asap" / "1.png").write_bytes((tmp_path / "spade" / "1.png").read_bytes())
    (tmp_path / "maps" / "2.png").unlink()
    with pytest.raises(InputError, match=r"asap/1\.png, .*maps/2\.png: not as it was when the study was prepared"):
        store.check_pictures()
    with pytest.raises(InputError, match=r"asap/1\.png: not as it was"):
        store.content(store.study.scenes[0].outputs[0])
