"""PNG, written fast: what is translated many times a second must be stored as often.

ISA-L compresses photos five times as fast as zlib does at its easiest, to no more bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
from isal import isal_zlib
from PIL import Image
from PIL.ImageFile import ImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}
"""Colour types by channels: grey, grey with alpha, RGB, RGBA."""

_AVERAGE = 3
_ROWS_AT_ONCE = 16
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
    height, width = array.shape[:2]
    kind = _KINDS[1 if array.ndim == 2 else array.shape[2]]
    header = struct.pack(">IIBBBBB", width, height, 8 * array.dtype.itemsize, kind, 0, 0, 0)
    rows = array.astype(array.dtype.newbyteorder(">"), order="C", copy=False).reshape(height, -1).view(np.uint8)
    compressor = isal_zlib.compressobj(_LEVEL)
    bands = _filtered(rows, rows.shape[1] // width)
    pixels = b"".join([*(compressor.compress(band) for band in bands), compressor.flush()])
    parts = (pixels[first : first + _MOST_OF_A_CHUNK] for first in range(0, len(pixels), _MOST_OF_A_CHUNK))
    chunks = ((b"IHDR", header), *ancillary, *((b"IDAT", part) for part in parts), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


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


def _filtered(rows: np.ndarray, pixel_bytes: int) -> Iterator[bytes]:
    """Rows of bytes, each less the mean of the pixel before and the one above (PNG Specification, Sec. 9.3), after its
    filter's number.

    Pillow tries all five filters on every row, which takes longer than to compress them; Paeth's alone, of three
    branches, takes longer than this one with all that follows, for a tenth less bytes.
    """
    # Zeros before the first pixel and above the first row; later, above each band lies the last row before it.
    bordered = np.zeros((_ROWS_AT_ONCE + 1, pixel_bytes + rows.shape[1]), np.uint16)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        band = rows[first : first + _ROWS_AT_ONCE]
        bordered[0] = bordered[-1]
        bordered[1 : len(band) + 1, pixel_bytes:] = band
        before, above = bordered[1 : len(band) + 1, :-pixel_bytes], bordered[: len(band), pixel_bytes:]
        filtered = np.full((len(band), 1 + rows.shape[1]), _AVERAGE, np.uint8)
        np.subtract(band, (before + above >> 1).astype(np.uint8), out=filtered[:, 1:])
        yield filtered.tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
