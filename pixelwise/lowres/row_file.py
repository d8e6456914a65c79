"""Numbers on the disk that are read by bands of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class RowFile:
    """Cells 1 h w C in a file, float32, row by row.

    Attributes:
        path: the file.
        shape: (h, w, C).
    """

    path: Path
    shape: tuple[int, int, int]

    @classmethod
    def write(cls, path: Path, bands: Iterable[Tensor]) -> RowFile:
        """Writes bands 1 n w C, from top to bottom, perhaps over a file that is done with: the system has memory for
        that one already, which halves the time. Raises ValueError for a batch of several.
        """
        height = width = channels = 0
        with path.open("r+b" if path.exists() else "wb") as file:
            for band in bands:
                batch, num_rows, width, channels = band.shape
                if batch != 1:
                    raise ValueError(f"a file of rows is of one picture, got {batch}")
                band.contiguous().numpy().tofile(file)
                height += num_rows
        return cls(path, (height, width, channels))

    def rows(self, start: int, stop: int) -> Tensor:
        """1 (stop - start) w C."""
        _, width, channels = self.shape
        row = width * channels
        values = np.fromfile(self.path, np.float32, (stop - start) * row, offset=4 * start * row)
        return torch.from_numpy(values).view(1, stop - start, width, channels)
