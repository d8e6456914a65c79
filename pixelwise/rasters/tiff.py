"""TIFF files by rows: a band of strips or tiles at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from operator import add
from pathlib import Path

import numpy as np
import tifffile

from pixelwise.codecs import PLANES_FIRST, has_codec, is_packed, tiff_picture
from pixelwise.errors import InputError
from pixelwise.rasters.raster import Raster, ReadRows, Recent
from pixelwise.rasters.stream import can_stream_lzw, lzw_rows
from pixelwise.tiff import metadata_in, orientation_of

_MIN_ROWS = 64
"""Rows that a band has at least: a strip may be a single one."""


def must_be_whole(path: Path, modes: dict[str, str]) -> bool:
    """Whether rows are not those of the file, since it is stored turned, packed or as only whole files are decoded."""
    with tifffile.TiffFile(path) as file:
        if not len(file.pages):
            return False
        page = file.pages.first
        by_rows = has_codec(page) or can_stream_lzw(file.series[0])
        return orientation_of(page) != 1 or is_packed(page, modes) or not by_rows


@contextmanager
def tiff_raster(path: Path, modes: dict[str, str]) -> Iterator[Raster]:
    """A TIFF or BigTIFF file of strips or tiles, of interleaved samples or of planes.

    Args:
        path: the file, of which ``must_be_whole`` is false.
        modes: as for ``codecs.decode``.

    Raises:
        InputError: no picture that ``codecs.decode`` reads, or one that ends early.
    """
    with tifffile.TiffFile(path) as file, ThreadPoolExecutor(os.cpu_count()) as pool:
        if not len(file.pages):
            raise InputError(f"{path}: ends early: the directory that says where its rows lie is missing")
        series = tiff_picture(path, file, modes)
        stored = series.dtype.newbyteorder(file.byteorder)
        planes_first = series.axes in PLANES_FIRST
        shape = (*series.shape[1:], series.shape[0]) if planes_first else tuple(series.shape)
        offset = series.dataoffset
        if offset is not None:
            read = _mapped_rows(path, series, offset, stored)
        else:
            # A file that ends early is refused here, whoever decodes it.
            grid = _Grid(path, series, pool)
            if has_codec(series.keyframe):
                read = Recent(lambda start, stop: _in_order(grid.read(start, stop), shape, planes_first))
            else:
                read = lzw_rows(path, shape, stored.newbyteorder("="))
        yield Raster(path, shape, stored.newbyteorder("="), read, metadata_in(path, file))


def _mapped_rows(path: Path, series: tifffile.TiffPageSeries, offset: int, dtype: np.dtype) -> ReadRows:
    """Of a picture whose bytes lie in the file as they are, one after the other, from ``offset`` on."""
    planes_first = series.axes in PLANES_FIRST
    num_planes, height, *rest = series.shape if planes_first else (1, *series.shape)
    row = math.prod(rest) * dtype.itemsize
    last_plane = offset + (num_planes - 1) * height * row
    _check_rows(path, (path.stat().st_size - last_plane) // row, height)

    def read(start: int, stop: int) -> np.ndarray:
        # Mapped anew each time: pages of a map that stays open count as memory in use.
        array = np.memmap(path, dtype, "r", offset, series.shape)
        return np.array(np.moveaxis(array[:, start:stop], 0, -1) if planes_first else array[start:stop])

    return read


def _in_order(planes: np.ndarray, shape: tuple[int, ...], planes_first: bool) -> np.ndarray:
    """Planes P H W S as H W or H W C of a picture of that shape."""
    rows = planes.shape[1]
    if planes_first:
        return np.moveaxis(planes.reshape(-1, rows, shape[1]), 0, -1)
    return planes.reshape(rows, *shape[1:])


class _Grid:
    """The strips or tiles of a picture, decoded a band of them at a time.

    Args:
        path: the file, which must be open.
        series: its one page, or one for each plane.
        pool: what decodes them.

    Raises:
        InputError: some of them lie beyond the end of the file.
    """

    def __init__(self, path: Path, series: tifffile.TiffPageSeries, pool: ThreadPoolExecutor) -> None:
        page = series.keyframe
        self._pages = [frame for frame in series if frame is not None]
        self._keyframe, self._pool = page, pool
        self._num_planes, _, self._height, self._width, self._num_samples = page.shaped
        self._length = min(page.tilelength if page.is_tiled else page.rowsperstrip, self._height)
        self._across = math.ceil(self._width / page.tilewidth) if page.is_tiled else 1
        self._down = math.ceil(self._height / self._length)
        self._band_down = math.ceil(_MIN_ROWS / self._length)
        self._band = (-1, np.empty(0))
        _check_rows(path, self._num_rows(path.stat().st_size), self._height)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows of all planes, P H W S. The last band is kept, for those of its rows that were not asked for."""
        height = self._band_down * self._length
        pieces = []
        for index in range(start // height, (stop - 1) // height + 1):
            if self._band[0] != index:
                self._band = (-1, np.empty(0))  # before decoding, or both would be in memory
                self._band = (index, self._decode(index))
            pieces.append(self._band[1][:, max(start - index * height, 0) : stop - index * height])
        return np.concatenate(pieces, axis=1)

    def _decode(self, band: int) -> np.ndarray:
        first, last = band * self._band_down, min((band + 1) * self._band_down, self._down)
        top, bottom = first * self._length, min(last * self._length, self._height)
        shape = (self._num_planes, bottom - top, self._width, self._num_samples)
        pages = np.empty((len(self._pages), *shape), self._keyframe.dtype)
        plane = self._down * self._across
        indices = [
            number * plane + place
            for number in range(self._num_planes)
            for place in range(first * self._across, last * self._across)
        ]
        for page, planes in zip(self._pages, pages, strict=True):
            self._decode_page(page, indices, planes, top)
        return pages.reshape(-1, *shape[1:])

    def _decode_page(
        self, page: tifffile.TiffPage | tifffile.TiffFrame, indices: list[int], planes: np.ndarray, top: int
    ) -> None:
        def place(segment: tuple[bytes | None, int]) -> None:
            stored, number = segment
            pixels, (plane, _, y, x, _), shape = self._keyframe.decode(
                stored, indices[number], jpegtables=page.jpegtables
            )
            target = planes[plane, y - top : y - top + shape[1], x : x + shape[2]]
            target[:] = self._keyframe.nodata if pixels is None else pixels[0, : target.shape[0], : target.shape[1]]

        offsets = [page.dataoffsets[index] for index in indices]
        counts = [page.databytecounts[index] for index in indices]
        # Numbered as they are asked for: given their indices, older versions of tifffile misplace a single segment.
        list(self._pool.map(place, page.parent.filehandle.read_segments(offsets, counts)))

    def _num_rows(self, file_size: int) -> int:
        """Rows above the first strip or tile that a file of so many bytes does not hold."""
        plane, rows = self._down * self._across, self._height
        for page in self._pages:
            ends: list[float] = [*map(add, page.dataoffsets, page.databytecounts)]
            ends += [math.inf] * (self._num_planes * plane - len(ends))
            missing = (index % plane // self._across for index, end in enumerate(ends) if end > file_size)
            rows = min(rows, min(missing, default=self._down) * self._length)
        return rows


def _check_rows(path: Path, present: int, height: int) -> None:
    present = max(present, 0)
    if present < height:
        raise InputError(
            f"{path}: ends early: {present} of its {height} rows are there, {height - present} are missing"
        )
