"""Arrays as image files: which formats hold what, and how they are written. The way back is in codecs.py."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
from PIL import Image

from pixelwise.atomic import write_atomically
from pixelwise.codecs import shape_text
from pixelwise.errors import InputError
from pixelwise.jpeg import to_jpeg
from pixelwise.metadata import NO_METADATA, Metadata
from pixelwise.png import to_png
from pixelwise.tiff import to_tiff

_DTYPES = ("uint8", "uint16", "float32")


def encode(path: Path, array: np.ndarray, metadata: Metadata = NO_METADATA) -> None:
    """Write PNG, TIFF or NPY without loss, or JPEG (quality 95), by the suffix; whole or not at all.

    Args:
        path: folders above it are made; a file of that name is replaced.
        array: H W or H W C; uint8, for PNG, TIFF and NPY also uint16, for TIFF and NPY also float32.
        metadata: as much of it is written as the format keeps, see ``Metadata.lost_in``.

    Raises:
        InputError: a suffix that cannot be written, an array that the format cannot keep, or no room to write.
    """
    store(path, to_bytes(path, array, metadata))


def store(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; folders above it are made. Raises InputError if there is no room to write."""
    try:
        write_atomically(path, lambda beside: beside.write_bytes(content))
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


def to_bytes(path: Path, array: np.ndarray, metadata: Metadata = NO_METADATA) -> bytes:
    """What ``encode`` would write. Raises InputError as ``encode``, but for the room."""
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(f"{path}: cannot write {shape_text(array)}, expected height, width and perhaps channels")
    array = array[..., None] if array.ndim == 2 else array
    height, width, channels = array.shape
    check_kept(path, (height, width), channels, array.dtype.name)
    suffix = path.suffix.lower()
    return _FORMATS[suffix].encode(array[..., 0] if channels == 1 else array, metadata.kept_in(suffix))


def check_kept(path: Path, size: tuple[int, int], channels: int, dtype: str) -> None:
    """Raises InputError unless a file of that name can hold such pixels, and as many: ``size`` is (height, width)."""
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path}: cannot write {path.suffix!r} files, expected one of {', '.join(_FORMATS)}")
    if reason := form.misfit(size, channels, dtype):
        others = [suffix for suffix, other in _FORMATS.items() if not other.misfit(size, channels, dtype)]
        raise InputError(f"{path}: {reason}, expected {', '.join(others or _DTYPES)}")


def keeps(suffix: str, channels: int, dtype: str) -> bool:
    """Whether files of that suffix, one that ``encode`` knows, can hold such pixels."""
    return _FORMATS[suffix].misfit((1, 1), channels, dtype) is None


def palette_to_bytes(ids: np.ndarray, palette: np.ndarray) -> bytes:
    """Ids H W uint8 as a PNG with a palette 256 3 uint8."""
    image = Image.fromarray(ids)
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _encode_png(array: np.ndarray, metadata: Metadata) -> bytes:
    return to_png(array, metadata.png_chunks())


def _encode_jpeg(array: np.ndarray, metadata: Metadata) -> bytes:
    return to_jpeg(array, metadata.pillow_fields())


def _encode_npy(array: np.ndarray, _: Metadata) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


@dataclass(frozen=True)
class _Format:
    """How pictures are written.

    Attributes:
        name: of the format, for people.
        encode: from H W or H W C to a file's content.
        dtypes, channels: of pixels that it holds; any number of channels, if that is None.
        longest: pixels that a side may have.
    """

    name: str
    encode: Callable[[np.ndarray, Metadata], bytes]
    dtypes: tuple[str, ...] = _DTYPES
    channels: tuple[int, ...] | None = None
    longest: float = inf

    def misfit(self, size: tuple[int, int], channels: int, dtype: str) -> str | None:
        """Why it cannot hold such a picture; None if it can."""
        if dtype not in self.dtypes or (self.channels is not None and channels not in self.channels):
            return f"{self.name} cannot keep {channels} {'channel' if channels == 1 else 'channels'} of {dtype}"
        if max(size) > self.longest:
            text = f"{size[1]}x{size[0]} (width x height)"
            return f"{self.name} holds at most {self.longest} pixels a side, the picture is {text}"
        return None


_JPEG = _Format("JPEG", _encode_jpeg, ("uint8",), (1, 3), longest=65500)
_TIFF = _Format("TIFF", to_tiff)
_FORMATS = {
    ".png": _Format("PNG", _encode_png, ("uint8", "uint16"), (1, 2, 3, 4)),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".npy": _Format("NPY", _encode_npy),
}
