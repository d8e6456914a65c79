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
