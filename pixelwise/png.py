"""PNG, written fast: what is translated many times a second must be stored as often.

ISA-L compresses photos five times as fast as zlib does at its easiest, to no more bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import numpy as np
from isal import isal_zlib
from PIL import Image
from PIL.ImageFile import ImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}
"""Colour types by channels: grey, grey with alpha, RGB, RGBA."""

_AVERAGE = 3
_ROWS_AT_ONCE = 64
_MOST_OF_A_CHUNK = 1 << 30
_LEVEL = 1

Chunk = tuple[bytes, bytes]
"""Its kind and its content."""


def to_png(array: np.ndarray, ancillary: Sequence[Chunk] = ()) -> bytes:
    """A PNG file.

    Args:
        array: H W or H W C of 1 to 4 channels; uint8, or uint16.
        ancillary: chunks that come before the pixels.
    """
    array = array[..., None] if array.ndim == 2 else array
    parts: list[bytes] = []
    png = PngRows(parts.append, array.shape[:2], array.shape[2], array.dtype, ancillary)
    png.push(array)
    png.finish()
    return b"".join(parts)


class PngRows:
    """A PNG file whose rows come from top to bottom.

    Args:
        write: takes the next bytes of the file.
        size: (height, width) in pixels.
        channels: of every pixel, 1 to 4.
        dtype: uint8, or uint16.
        ancillary: chunks that come before the pixels.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        size: tuple[int, int],
        channels: int,
        dtype: np.dtype,
        ancillary: Sequence[Chunk] = (),
    ) -> None:
        self._write = write
        self._pixel_bytes = channels * dtype.itemsize
        self._row_above = np.zeros(size[1] * self._pixel_bytes, np.uint8)
        self._compressor = isal_zlib.compressobj(_LEVEL)
        header = struct.pack(">IIBBBBB", size[1], size[0], 8 * dtype.itemsize, _KINDS[channels], 0, 0, 0)
        write(SIGNATURE)
        for chunk in ((b"IHDR", header), *ancillary):
            write(_chunk(*chunk))

    def push(self, rows: np.ndarray) -> None:
        """The next rows, n W C."""
        if not len(rows):
            return
        stored = rows.astype(rows.dtype.newbyteorder(">"), order="C", copy=False).reshape(len(rows), -1).view(np.uint8)
        bands = _filtered(stored, self._pixel_bytes, self._row_above)
        self._write_pixels(b"".join(map(self._compressor.compress, bands)))
        self._row_above = stored[-1].copy()

    def finish(self) -> None:
        """What follows the last row."""
        self._write_pixels(self._compressor.flush())
        self._write(_chunk(b"IEND", b""))

    def _write_pixels(self, content: bytes) -> None:
        for first in range(0, len(content), _MOST_OF_A_CHUNK):
            self._write(_chunk(b"IDAT", content[first : first + _MOST_OF_A_CHUNK]))


def sixteen_bits(image: ImageFile, file: BinaryIO) -> np.ndarray:
    """H W C uint16 of a PNG of 16-bit colours, or grey with alpha, of which Pillow keeps 8 bits at a time.

    Args:
        image: opened from ``file`` and not yet decoded. It is when this returns.
        file: at any place.
    """
    (tile,) = image.tile
    if tile.args == "LA;16B":
        # Two numbers of 16 bits lie as four of 8 do.
        image.tile = [tile._replace(args="RGBA")]
        return np.array(image).view(">u2")
    high = np.array(image, np.uint16)
    file.seek(0)
    with Image.open(file, formats=("PNG",)) as again:
        # Asked for the high bytes of the other byte order, it gives the low ones.
        again.tile = [tile._replace(args=str(tile.args).replace(";16B", ";16L"))]
        return np.asarray(high << 8 | np.array(again))


def _filtered(rows: np.ndarray, pixel_bytes: int, row_above: np.ndarray) -> Iterator[bytes]:
    """Rows of bytes, each less the mean of the pixel before and the one above (PNG Specification, Sec. 9.3), after its
    filter's number.

    Pillow tries all five filters on every row, which takes longer than to compress them; Paeth's alone, of three
    branches, takes longer than this one with all that follows, for a tenth less bytes.
    """
    # Zeros before the first pixel; above each band lies the last row before it.
    bordered = np.zeros((_ROWS_AT_ONCE + 1, pixel_bytes + rows.shape[1]), np.uint8)
    bordered[-1, pixel_bytes:] = row_above
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        band = rows[first : first + _ROWS_AT_ONCE]
        bordered[0] = bordered[-1]
        bordered[1 : len(band) + 1, pixel_bytes:] = band
        before, above = bordered[1 : len(band) + 1, :-pixel_bytes], bordered[: len(band), pixel_bytes:]
        filtered = np.full((len(band), 1 + rows.shape[1]), _AVERAGE, np.uint8)
        # The mean, rounded down: the bits that both have, and half of those that only one has. Sums keep to 8 bits.
        mean = (before & above) + ((before ^ above) >> 1)
        np.subtract(band, mean, out=filtered[:, 1:])
        yield filtered.tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = isal_zlib.crc32(content, isal_zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
