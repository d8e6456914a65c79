"""An open picture that is read by rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelwise.errors import InputError
from pixelwise.metadata import NO_METADATA, Metadata

ReadRows = Callable[[int, int], np.ndarray]
"""From the first row, and the one after the last, to what lies between: H W or H W C."""


@dataclass(frozen=True)
class Raster:
    """An open picture: ``rows`` gives what ``codecs.decode`` gives of the same file, in parts.

    Attributes:
        path: the file.
        shape: H W or H W C.
        dtype: of the values, in the machine's byte order.
        read: how rows are come by; ask ``rows`` instead.
        metadata: what the file says beside its pixels.
        in_memory: whether the whole picture was decoded, because it cannot be read by rows.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    read: ReadRows
    metadata: Metadata = NO_METADATA
    in_memory: bool = False

    def __post_init__(self) -> None:
        if len(self.shape) not in (2, 3) or 0 in self.shape:
            text = "x".join(str(side) for side in self.shape)
            raise InputError(f"{self.path}: is {text} {self.dtype}, expected height, width and perhaps channels")

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.shape[0], self.shape[1]

    @property
    def channels(self) -> int:
        return self.shape[2] if len(self.shape) == 3 else 1

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start`` to ``stop - 1``, H W or H W C, not to be written to.

        Nothing is decoded twice as long as each call begins within the rows of the one before or just after them. To go
        back further costs the tiles that are there, but a PNG or JPEG all its rows from the top.

        Raises:
            InputError: rows that are damaged.
            ValueError: there are no such rows.
        """
        if not 0 <= start < stop <= self.shape[0]:
            raise ValueError(f"{self.path}: rows {start} to {stop - 1} were asked for, it has {self.shape[0]}")
        try:
            rows = self.read(start, stop)
        except Exception as error:  # decoders raise anything from SyntaxError to struct.error on damaged files
            text = f"rows {start} to {stop - 1} of {self.shape[0]} cannot be read, it may be damaged"
            reason = str(error).partition("\n")[0]  # libvips tells of each of its layers
            raise InputError(f"{self.path}: {text}: {reason}") from error
        rows = rows.astype(self.dtype, copy=False)
        rows.flags.writeable = False
        return rows


class Recent:
    """Keeps the rows that were read last, so that bands may overlap at no cost.

    Args:
        read: what rows are read with when they are not at hand; it returns arrays of their own memory.
    """

    def __init__(self, read: ReadRows) -> None:
        self._read = read
        self._start = 0
        self._rows: np.ndarray | None = None

    def __call__(self, start: int, stop: int) -> np.ndarray:
        known = 0 if self._rows is None else len(self._rows)
        if self._rows is None or not self._start <= start < self._start + known:
            self._rows = None  # before reading, or both would be in memory
            self._rows, self._start = self._read(start, stop), start
        elif stop > self._start + known:
            overlap = self._rows[start - self._start :]
            self._rows = np.concatenate([overlap, self._read(self._start + known, stop)])
            self._start = start
        return self._rows[start - self._start : stop - self._start]
