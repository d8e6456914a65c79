"""JPEG, written as finely as is usual: whole, or by rows.

Rows are encoded in strips, each as a JPEG of its own. With restart markers no block depends on one of another row of
blocks, so that strips put one behind the other are one picture (ITU-T T.81, Sec. E.1.4 and F.1.2.3).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

_STRIP = 64
"""Rows: eight of blocks, since markers between them are numbered from 0 to 7, and then anew."""

_LAST_RESTART = b"\xff\xd7"
_END = b"\xff\xd9"
_FRAME, _SCAN = 0xFFC0, 0xFFDA
_HEIGHT = 5
"""Where in a frame's header the picture's height is: behind the marker, the header's length and the precision."""


def to_jpeg(array: np.ndarray, fields: Mapping[str, bytes], restarts: bool = False) -> bytes:
    """A JPEG file.

    Args:
        array: H W or H W 3, uint8.
        fields: what it says beside the pixels, as ``PIL.Image.save`` takes it.
        restarts: whether there are markers between rows of blocks.
    """
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(array))
    image.save(buffer, format="JPEG", quality=95, subsampling=0, restart_marker_rows=int(restarts), **fields)
    return buffer.getvalue()


class JpegRows:
    """A JPEG file whose rows come from top to bottom: the picture that ``to_jpeg`` makes of all of them.

    Args:
        write: takes the next bytes of the file.
        size: (height, width) in pixels.
        channels: of every pixel, 1 or 3.
        fields: see ``to_jpeg``.
    """

    def __init__(
        self, write: Callable[[bytes], object], size: tuple[int, int], channels: int, fields: Mapping[str, bytes]
    ) -> None:
        self._write, self._height, self._fields = write, size[0], fields
        self._strip, self._num_held = np.empty((_STRIP, size[1], channels), np.uint8), 0
        self._is_begun = False

    def push(self, rows: np.ndarray) -> None:
        """Rows H W C; any number at a time."""
        while len(rows):
            taken, rows = np.split(rows, [_STRIP - self._num_held])
            self._strip[self._num_held : self._num_held + len(taken)] = taken
            self._num_held += len(taken)
            if self._num_held == _STRIP:
                self._write_strip()

    def finish(self) -> None:
        """Must be called when all rows have come."""
        if self._num_held:
            self._write_strip()
        self._write(_END)

    def _write_strip(self) -> None:
        strip = self._strip[: self._num_held]
        content = to_jpeg(strip[..., 0] if strip.shape[2] == 1 else strip, self._fields, restarts=True)
        header, blocks = _parted(content, self._height)
        self._write(_LAST_RESTART if self._is_begun else header)
        self._write(blocks)
        self._num_held, self._is_begun = 0, True


def _parted(content: bytes, height: int) -> tuple[bytes, bytes]:
    """A JPEG's header, changed to that of a picture of ``height`` rows, and its compressed blocks."""
    header, place, kind = bytearray(content), 2, 0
    while kind != _SCAN:
        kind, length = struct.unpack_from(">HH", content, place)
        if kind == _FRAME:
            struct.pack_into(">H", header, place + _HEIGHT, height)
        place += 2 + length
    return bytes(header[:place]), content[place : -len(_END)]
