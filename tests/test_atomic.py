import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pixelwise.atomic import remove_leftovers, write_atomically


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folders_above_are_made(tmp_path: Path):
    write_atomically(tmp_path / "a" / "b" / "c.txt", lambda beside: beside.write_text("new"))
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "new"
    assert files(tmp_path / "a" / "b") == ["c.txt"]


def test_the_old_content_stays_until_the_new_one_is_complete(tmp_path: Path):
    path = tmp_path / "c.txt"
    path.write_text("old")

    def write(beside: Path) -> None:
        beside.write_text("ne")
        assert path.read_text() == "old"
        assert beside.suffix == path.suffix
        beside.write_text("new")

    write_atomically(path, write)
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_all_is_as_it_was(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "c.txt"
    path.write_text("old")

    def write(beside: Path) -> None:
        beside.write_text("ne")
        raise error

    with pytest.raises(error):
        write_atomically(path, write)
    assert path.read_text() == "old"
    assert files(tmp_path) == ["c.txt"]


def test_on_a_full_disk_all_is_as_it_was(tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]):
    path = tmp_path / "c.txt"
    path.write_text("old")
    with full_disk(1000), pytest.raises(OSError, match="too large"):
        write_atomically(path, lambda beside: beside.write_bytes(bytes(2000)))
    assert path.read_text() == "old"
    assert files(tmp_path) == ["c.txt"]


def test_content_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "c.txt"
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append((os.fstat(descriptor).st_size, path.exists())))
    write_atomically(path, lambda beside: beside.write_text("new"))
    assert synced == [(3, False)]


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path: Path):
    def killed(beside: Path) -> None:
        beside.write_text("ne")
        beside.rename(tmp_path / "below" / beside.name)
        raise KeyboardInterrupt

    (tmp_path / "below").mkdir()
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "c.txt", killed)
    for name in ("c.txt", ".c.txt", "c.partial.txt"):
        (tmp_path / "below" / name).touch()
    assert len(files(tmp_path / "below")) == 4
    remove_leftovers(tmp_path)
    assert files(tmp_path / "below") == [".c.txt", "c.partial.txt", "c.txt"]
