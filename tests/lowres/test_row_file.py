import math
from pathlib import Path

import torch

from pixelwise.lowres.row_file import RowFile


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
