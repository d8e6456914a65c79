import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pixelwise.atomic import check_writable, folder_replacement, remove_leftovers, write_atomically
from pixelwise.errors import InputError


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


def abandoned(path: Path, process: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process of that number leaves behind when it is killed while it writes ``path``."""

    def killed(beside: Path) -> None:
        beside.write_text("ne")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: process)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, killed)


@pytest.fixture
def ended() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(
    tmp_path: Path, ended: int, monkeypatch: pytest.MonkeyPatch
):
    names = [".c.txt", "c.partial.txt", ".c.partial.txt", ".c.x.partial.txt", "c.txt"]
    for name in names:
        (tmp_path / name).touch()
    for process in (ended, os.getpid(), os.getppid()):
        abandoned(tmp_path / "c.txt", process, monkeypatch)
        abandoned(tmp_path / "without_suffix", process, monkeypatch)
    abandoned(tmp_path / "below" / "c.txt", ended, monkeypatch)
    at_work = [f".c.{os.getppid()}.partial.txt", f".without_suffix.{os.getppid()}.partial"]
    assert len(files(tmp_path)) == len(names) + 3 * 2 + 1
    remove_leftovers(tmp_path)
    assert files(tmp_path) == sorted([*names, *at_work, "below"])
    assert len(files(tmp_path / "below")) == 1


def make(folder: Path, content: str) -> None:
    with folder_replacement(folder) as beside:
        (beside / "below").mkdir()
        (beside / "below" / "c.txt").write_text(content)
        assert beside.parent == folder.parent
        assert content != "new" or (folder / "below" / "c.txt").read_text() == "old"


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path):
    make(tmp_path / "above" / "folder", "old")
    (tmp_path / "above" / "folder" / "more.txt").touch()
    make(tmp_path / "above" / "folder", "new")
    assert files(tmp_path / "above") == ["folder"]
    assert files(tmp_path / "above" / "folder") == ["below"]
    assert (tmp_path / "above" / "folder" / "below" / "c.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_folder_stays_when_replacing_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], step: int
):
    """Before anything is renamed, between the two renames, and right after them."""
    make(tmp_path / "folder", "old")
    rename, numbers = Path.rename, iter(range(9))

    def failing(path: Path, target: Path) -> Path:
        number = next(numbers)
        if number == step < 2:
            raise error
        moved = rename(path, target)
        if number == 1 and step == 2:
            raise error
        return moved

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(error):
        make(tmp_path / "folder", "new")
    assert files(tmp_path) == ["folder"]
    assert (tmp_path / "folder" / "below" / "c.txt").read_text() == "old"


def fail_in(folder: Path, spoil: Callable[[Path], object]) -> Path:
    with pytest.raises(KeyError), folder_replacement(folder) as beside:
        raise KeyError(spoil(beside))
    return beside


def test_an_unfinished_folder_is_removed(tmp_path: Path):
    fail_in(tmp_path / "folder", lambda beside: (beside / "c.txt").touch())
    assert not files(tmp_path)


def test_leftover_folders_are_removed_too(tmp_path: Path):
    beside = fail_in(tmp_path / "folder", lambda beside: beside.rename(tmp_path / "moved"))
    (tmp_path / "moved" / "below").mkdir()
    (tmp_path / "moved" / "below" / ".c.1.partial.txt").touch()
    (tmp_path / "moved").rename(beside)
    remove_leftovers(tmp_path)
    assert not files(tmp_path)


def test_what_cannot_be_written_is_known_before(tmp_path: Path):
    check_writable(tmp_path / "a" / "b" / "c.txt")
    assert files(tmp_path) == []
    with pytest.raises(InputError, match="is a folder, expected a file's name"):
        check_writable(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"c\.txt: cannot be written: .*/file is no folder"):
        check_writable(tmp_path / "file" / "b" / "c.txt")
