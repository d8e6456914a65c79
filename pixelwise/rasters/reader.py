"""Which way a file is read by rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import numpy as np
import tifffile

from pixelwise.codecs import check_file, decode_with_metadata, reading
from pixelwise.rasters.raster import Raster
from pixelwise.rasters.stream import can_stream, header_size, stream_raster
from pixelwise.rasters.tiff import must_be_whole, tiff_raster


@contextmanager
def open_raster(path: Path | str, modes: dict[str, str]) -> Iterator[Raster]:
    """A picture of any size, open for reading by rows.

    TIFF and NPY files are read by rows; PNG, JPEG and TIFFs compressed by LZW too where libvips is at hand (``pip
    install 'pixelwise[scale]'``), unless they are interlaced. What is stored turned, or packed into a palette or bits,
    and everything else is decoded whole. A progressive JPEG is read by rows, but its decoder holds all its
    coefficients.

    Args:
        path: a file that ``codecs.decode`` reads.
        modes: as for ``codecs.decode``.

    Raises:
        InputError: as ``codecs.decode``; also a TIFF that ends early, with the number of rows that are there.
    """
    path = Path(path)
    check_file(path)
    with ExitStack() as stack:
        with reading(path):
            raster = stack.enter_context(_open(path, modes))
        yield raster


def stored_size(path: Path) -> tuple[int, int] | None:
    """(height, width) in pixels, before a picture is turned upright: as far as a file's beginning says it.

    None where only decoding would tell. Raises InputError for a file that is not there or damaged at its beginning.
    """
    check_file(path)
    suffix = path.suffix.lower()
    with reading(path):
        if suffix == ".npy":
            return _npy_raster(path).size
        if suffix not in (".tif", ".tiff"):
            return header_size(path)
        with tifffile.TiffFile(path) as file:
            return file.pages.first.imagelength, file.pages.first.imagewidth


def _open(path: Path, modes: dict[str, str]) -> AbstractContextManager[Raster]:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return nullcontext(_npy_raster(path))
    if suffix in (".tif", ".tiff") and not must_be_whole(path, modes):
        return tiff_raster(path, modes)
    return nullcontext(stream_raster(path, modes) if can_stream(path, modes) else _whole_raster(path, modes))


def _npy_raster(path: Path) -> Raster:
    def read(start: int, stop: int) -> np.ndarray:
        # Mapped anew each time: pages of a map that stays open count as memory in use.
        return np.array(np.lib.format.open_memmap(path, mode="r")[start:stop])

    array = np.lib.format.open_memmap(path, mode="r")
    return Raster(path, array.shape, array.dtype.newbyteorder("="), read)


def _whole_raster(path: Path, modes: dict[str, str]) -> Raster:
    array, metadata = decode_with_metadata(path, modes)
    return Raster(path, array.shape, array.dtype, lambda start, stop: array[start:stop], metadata, in_memory=True)
