"""The levels of a pyramid, all at once, from rows that come once: each level keeps one band, and hands halves down."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from pixelwise.errors import InputError

Emit = Callable[[int, int, np.ndarray], None]
"""Is given a level (0 is the picture itself), the number of a band and its rows, which are gone when it returns."""

_SLAB = 16
"""Rows that are halved at once: few, so that they stay in the cache; an even number, so that pairs stay together."""

_SUM_TYPES = {"uint8": np.uint16, "uint16": np.uint32, "float32": np.float32}


def level_sizes(size: tuple[int, int], largest: int) -> list[tuple[int, int]]:
    """(height, width) of each level, halved and rounded up until no side is longer than ``largest``."""
    sizes = [size]
    while max(sizes[-1]) > largest:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


class Cascade:
    """Rows in; bands of every level out, as soon as they are complete.

    A level is the one above it halved: means of 2 by 2 pixels, which at an odd edge are of the one or two pixels that
    there are; integers rounded half up.

    Args:
        sizes: see ``level_sizes``.
        channels: of the rows.
        dtype: uint8, uint16 or float32.
        band: rows of a band, an even number. The last of a level may have fewer.
        overlap: so many rows of the bands above and below come with each.
        emit: where bands go.

    Raises:
        InputError: another dtype, or an empty picture.
    """

    def __init__(
        self, sizes: list[tuple[int, int]], channels: int, dtype: np.dtype, band: int, overlap: int, emit: Emit
    ) -> None:
        if dtype.name not in _SUM_TYPES or min(*sizes[0], channels) < 1:
            text = f"{sizes[0][0]}x{sizes[0][1]}x{channels} {dtype}"
            raise InputError(
                f"cannot write rows of {text}, expected height, width, channels of {', '.join(_SUM_TYPES)}"
            )
        self._shape, self._dtype = (*sizes[0], channels), dtype
        self._num_rows = 0
        level: _Level | None = None
        for number in reversed(range(len(sizes))):
            level = _Level((*sizes[number], channels), dtype, band, overlap, partial(emit, number), level)
        self._level = level

    def push(self, rows: np.ndarray) -> None:
        """The next rows from the top, H W C, or H W where there is one channel.

        Raises:
            ValueError: more rows than the picture has, or of another width, number of channels or dtype.
        """
        height, *row = self._shape
        rows = rows[..., None] if rows.ndim == 2 else rows
        if list(rows.shape[1:]) != row or rows.dtype != self._dtype:
            raise ValueError(
                f"expected rows of {row[0]} pixels, {row[1]} channels of {self._dtype}; got {rows.shape}, {rows.dtype}"
            )
        self._num_rows += len(rows)
        if self._num_rows > height:
            raise ValueError(f"row {self._num_rows} was written to a picture of {height} rows")
        assert self._level is not None
        self._level.push(rows)

    def finish(self) -> None:
        """Raises ValueError unless all rows have come."""
        if self._num_rows != self._shape[0]:
            raise ValueError(f"only {self._num_rows} of {self._shape[0]} rows were written")


class _Level:
    def __init__(
        self,
        shape: tuple[int, int, int],
        dtype: np.dtype,
        band: int,
        overlap: int,
        emit: Callable[[int, np.ndarray], None],
        smaller: _Level | None,
    ) -> None:
        self._height, self._band, self._overlap = shape[0], band, overlap
        self._emit, self._smaller = emit, smaller
        self._rows = np.empty((min(band + 2 * overlap, shape[0]), *shape[1:]), dtype)
        self._first = 0  # the row of the picture that self._rows begins with
        self._next = 0  # the row to come
        self._halved = 0  # the first row that the smaller level has not got
        self._index = 0  # of the band to come

    @property
    def _bottom(self) -> int:
        return min((self._index + 1) * self._band + self._overlap, self._height)

    def push(self, rows: np.ndarray) -> None:
        while len(rows):
            taken, rows = np.split(rows, [self._bottom - self._next])
            self._rows[self._next - self._first :][: len(taken)] = taken
            self._next += len(taken)
            while self._next == self._bottom and self._index * self._band < self._height:
                self._complete_band()

    def _complete_band(self) -> None:
        self._emit(self._index, self._rows[: self._next - self._first])
        self._halve()
        self._index += 1
        first = min(max(self._index * self._band - self._overlap, 0), self._next)
        kept = self._rows[first - self._first : self._next - self._first]
        self._rows[: len(kept)] = kept
        self._first = first

    def _halve(self) -> None:
        if self._smaller is None:
            return
        stop = self._next if self._next == self._height else self._next // 2 * 2
        for start in range(self._halved, stop, _SLAB):
            rows = self._rows[start - self._first : min(start + _SLAB, stop) - self._first]
            self._smaller.push(_halve(rows))
        self._halved = stop


def _halve(rows: np.ndarray) -> np.ndarray:
    """Means of 2 by 2 pixels, H W C."""
    height, width, channels = rows.shape
    rows = np.pad(rows, ((0, height % 2), (0, width % 2), (0, 0)), "edge") if height % 2 or width % 2 else rows
    pairs = np.add(rows[0::2], rows[1::2], dtype=_SUM_TYPES[rows.dtype.name])
    means = np.empty((pairs.shape[0], pairs.shape[1] // 2, channels), rows.dtype)
    # Channel by channel: an inner loop over three channels would take thrice the time.
    for channel in range(channels):
        sums = pairs[:, 0::2, channel] + pairs[:, 1::2, channel]
        means[..., channel] = sums / 4 if rows.dtype.kind == "f" else (sums + 2) >> 2
    return means
