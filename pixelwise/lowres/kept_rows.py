"""Numbers that are kept while a picture is made, and read by bands of rows: on the disk or in memory."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pixelwise.machine import free_memory
from pixelwise.rasters import check_space, writing

MEMORY_SHARE = 16
"""What takes no more than this part of the free memory is kept there."""


class KeptRows(Protocol):
    """Cells 1 h w C, float32."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(h, w, C)."""

    def rows(self, start: int, stop: int) -> Tensor:
        """1 (stop - start) w C, only to be read."""


Keep = Callable[[Iterable[Tensor], tuple[int, int, int]], KeptRows]
"""From bands 1 n w C, from top to bottom, and the shape (h, w, C) of them together, to what keeps them. What was kept
last but one may be lost then."""


@contextmanager
def meanwhile(num_bytes: int, most_in_memory: float = math.inf) -> Iterator[Keep]:
    """Keeps numbers in memory if that is large enough, otherwise in the system's temporary folder, as long as it lasts.

    Args:
        num_bytes: of all that is kept at a time.
        most_in_memory: bytes of which more are not kept there, however large it is.

    Raises:
        InputError: the folder has less room, or the system refuses to write there.
    """
    free = free_memory()
    if free is not None and num_bytes <= min(free // MEMORY_SHARE, most_in_memory):
        yield in_memory
        return
    folder = Path(tempfile.gettempdir())
    check_space(folder / "pixelwise", num_bytes)
    with writing(folder), tempfile.TemporaryDirectory(prefix="pixelwise-", dir=folder) as scratch:
        yield in_files(Path(scratch))


def in_files(folder: Path) -> Keep:
    """Two files in turn: each layer is written over the one that the layer before it was made of."""
    paths = cycle([folder / "features", folder / "more_features"])
    return lambda bands, shape: RowFile.write(next(paths), bands)


def in_memory(bands: Iterable[Tensor], shape: tuple[int, int, int]) -> KeptRows:
    """See ``Keep``."""
    cells, top = torch.empty(1, *shape, dtype=torch.float32), 0
    for band in bands:
        cells[:, top : top + band.shape[1]] = band
        top += band.shape[1]
    return RowsInMemory(cells)


@dataclass(frozen=True)
class RowsInMemory:
    """See ``KeptRows``."""

    cells: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        _, height, width, channels = self.cells.shape
        return height, width, channels

    def rows(self, start: int, stop: int) -> Tensor:
        return self.cells[:, start:stop]


@dataclass(frozen=True)
class RowFile:
    """See ``KeptRows``; in a file, row by row.

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
        """See ``KeptRows``."""
        _, width, channels = self.shape
        row = width * channels
        values = np.fromfile(self.path, np.float32, (stop - start) * row, offset=4 * start * row)
        return torch.from_numpy(values).view(1, stop - start, width, channels)
