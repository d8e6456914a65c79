from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres import kept_rows
from pixelwise.lowres.kept_rows import RowFile, in_files, in_memory, meanwhile


def test_a_row_file_gives_back_what_was_written(tmp_path: Path) -> None:
    rows = torch.rand(1, 40, 5, 3)
    file = RowFile.write(tmp_path / "rows", rows.split(7, dim=1))
    assert file.shape == (40, 5, 3)
    assert file.path.stat().st_size == 4 * math.prod(file.shape)
    torch.testing.assert_close(file.rows(11, 31), rows[:, 11:31], atol=0, rtol=0)


def test_a_row_file_may_be_written_over_a_longer_one(tmp_path: Path) -> None:
    RowFile.write(tmp_path / "rows", [torch.rand(1, 40, 5, 3)])
    rows = torch.rand(1, 9, 4, 2)
    file = RowFile.write(tmp_path / "rows", [rows])
    assert file.shape == (9, 4, 2)
    torch.testing.assert_close(file.rows(0, 9), rows, atol=0, rtol=0)


def test_memory_gives_back_what_files_do(tmp_path: Path) -> None:
    rows = torch.rand(1, 40, 5, 3)
    for keep in (in_files(tmp_path), in_memory):
        kept = keep(rows.split(7, dim=1), (40, 5, 3))
        assert kept.shape == (40, 5, 3)
        torch.testing.assert_close(kept.rows(11, 31), rows[:, 11:31], atol=0, rtol=0)


def test_the_last_but_one_is_written_over(tmp_path: Path) -> None:
    keep, layers = in_files(tmp_path), torch.rand(3, 1, 4, 5, 2)
    kept = [keep([layer], (4, 5, 2)) for layer in layers]
    assert len(list(tmp_path.iterdir())) == 2
    for rows, layer in zip(kept[1:], layers[1:], strict=True):
        torch.testing.assert_close(rows.rows(0, 4), layer, atol=0, rtol=0)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files, for as long as the test runs."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_is_little_of_the_free_memory_stays_there(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "free_memory", lambda: 1600)
    with meanwhile(100) as keep:
        assert keep is in_memory
        assert not list(temporary.iterdir())
    with meanwhile(100, most_in_memory=99) as keep:
        assert keep is not in_memory


@pytest.mark.parametrize("free", [1599, None])
def test_other_numbers_lie_in_a_temporary_folder(
    free: int | None, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "free_memory", lambda: free)
    with meanwhile(100) as keep:
        keep([torch.rand(1, 4, 5, 2)], (4, 5, 2))
        assert len(list(temporary.glob("pixelwise-*/*"))) == 1
    assert not list(temporary.iterdir())


def test_a_disk_without_room_is_named(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "free_memory", lambda: 0)
    too_much = shutil.disk_usage(temporary).total + 1
    with pytest.raises(InputError, match=rf"{temporary}.*: takes up to .* are free on its disk"), meanwhile(too_much):
        pass

    def full() -> Iterator[Tensor]:
        yield torch.rand(1, 1, 5, 2)
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=rf"{temporary}: cannot be written: No space left"), meanwhile(1) as keep:
        keep(full(), (4, 5, 2))
    assert not list(temporary.iterdir())
