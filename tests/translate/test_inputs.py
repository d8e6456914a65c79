"""What files, folders and globs mean: which pictures, and the folders that their names are relative to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.errors import InputError
from pixelwise.translate.inputs import find_pictures, partners


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def names(text: str | Path, out: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file, root in find_pictures(str(text), out)]


def test_a_folder_is_searched_through(tmp_path: Path) -> None:
    for name in ("b/c/d.e.TIF", "a.png", "b/a.jpg", "notes.txt", ".hidden.png", ".cache/x.png"):
        touch(tmp_path / "in" / name)
    assert names(tmp_path / "in", tmp_path / "out") == ["a.png", "b/a.jpg", "b/c/d.e.TIF"]


def test_a_glob_s_names_begin_after_the_last_folder_without_wildcards(tmp_path: Path) -> None:
    for name in ("a.png", "b/a.png", "b/c/d.png"):
        touch(tmp_path / "in" / name)
    assert names(tmp_path / "in" / "**" / "*.png", tmp_path / "out") == ["a.png", "b/a.png", "b/c/d.png"]
    assert names(tmp_path / "in" / "b" / "*", tmp_path / "out") == ["a.png"]
    assert names(tmp_path / "in" / "?" / "*.png", tmp_path / "out") == ["b/a.png"]


def test_a_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    for name in ("a[1].png", "*.png", "notes.txt"):
        path = touch(tmp_path / name)
        assert find_pictures(str(path), tmp_path) == [(path, tmp_path)]


def test_earlier_pictures_within_an_input_are_no_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "in" / "a.png")
    touch(tmp_path / "in" / "out" / "b.png")
    assert names(tmp_path / "in", tmp_path / "in" / "out") == ["a.png"]
    monkeypatch.chdir(tmp_path / "in")
    assert names(".", tmp_path / "in" / "out") == ["a.png"]
    assert names(tmp_path / "in", Path("out")) == ["a.png"]
    assert names("out", tmp_path) == ["b.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere.png", r"^nowhere.png: no such file or folder"),
        ("empty", r"^empty: no images there; expected files ending in .png, "),
        ("empty/*.png", r"^empty/\*.png: no images there"),
        ("empty/a**b", r"^empty/a\*\*b: "),
        ("", "an input is the empty text"),
    ],
)
def test_inputs_that_are_not_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "empty" / "notes.txt")
    with pytest.raises(InputError, match=message):
        find_pictures(text, tmp_path / "out")


def test_partners_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"style\.png: no such file or folder"):
        partners(tmp_path / "style.png")
