"""PNG and JPEG files by rows, and TIFFs compressed by LZW, decoded once from top to bottom by libvips.

Pillow says what a file is. Of a PNG libvips sees header and pixels only, so that no profile, gamma or transparent
colour can change a value, and a palette image reads as a grey one: its ids.
"""

from __future__ import annotations

import math
import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from pixelwise.codecs import IMAGE_MODES, PHOTO_MODES, check_pillow
from pixelwise.metadata import metadata_of
from pixelwise.png import SIGNATURE
from pixelwise.rasters.raster import Raster, ReadRows, Recent

_JPEG = b"\xff\xd8\xff"
_HEADER = 33
"""Bytes of a PNG's signature and header; the header's kind, bit depth, colour type and checksum begin at:"""
_KIND, _DEPTH, _COLOUR_TYPE, _CHECKSUM = 12, 24, 25, 29

_GREY = 0
_CHANNELS = {_GREY: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type; a palette's are its ids."""

_GREY_STEPS = {1: 255, 2: 85, 4: 17, 8: 1}
"""What decoders multiply grey of so many bits by, to fill 0 to 255."""

_METADATA = (b"eXIf", b"iTXt", b"zTXt")
"""Chunks that may say that a PNG is stored turned."""


def can_stream(path: Path, modes: dict[str, str]) -> bool:
    """Whether libvips is at hand, and the file a PNG or JPEG whose rows are stored from top to bottom as they are read.

    Args:
        path: the file.
        modes: as for ``codecs.decode``.
    """
    head, image = _open_header(path)
    if _libvips() is None or image is None or image.info.get("interlace"):
        return False
    if modes is PHOTO_MODES and image.mode not in IMAGE_MODES:
        return False
    kinds = [kind for kind, _ in _chunks(path)] if head.startswith(SIGNATURE) else []
    late = kinds[kinds.index(b"IDAT") :] if b"IDAT" in kinds else []
    # Not image.getexif(): for what may follow the pixels, a PNG's would decode them all.
    orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    return orientation == 1 and not set(late) & set(_METADATA)


def can_stream_lzw(series: tifffile.TiffPageSeries) -> bool:
    """Whether libvips is at hand, and a picture in a TIFF one page, compressed by LZW and of numbers that libvips gives
    as they are."""
    page = series.keyframe
    plain = page.photometric in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB)
    is_lzw = page.compression == tifffile.COMPRESSION.LZW
    return _libvips() is not None and is_lzw and plain and page.bitspersample >= 8 and len(series) == 1


def lzw_rows(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> ReadRows:
    """Of a TIFF file, H W or H W C, of whose picture ``can_stream_lzw`` is true."""
    # LZW has no checksums: what cannot be decompressed would be black otherwise.
    stream = _Stream(lambda: _libvips().Source.new_from_file(str(path)), "tiffload_source", shape, dtype, "error")
    return Recent(stream.read)


def header_size(path: Path) -> tuple[int, int] | None:
    """(height, width) of a PNG or JPEG file as it is stored; None of other files."""
    _, image = _open_header(path)
    return None if image is None else (image.height, image.width)


def stream_raster(path: Path, modes: dict[str, str]) -> Raster:
    """A file of which ``can_stream`` is true. Raises InputError, see ``codecs.check_pillow``."""
    head, image = _open_header(path)
    assert image is not None
    is_png = head.startswith(SIGNATURE)
    check_pillow(path, image, head[_DEPTH] if is_png else 8, modes)
    # To Pillow, 16-bit grey with alpha is RGBA.
    bands = _CHANNELS[head[_COLOUR_TYPE]] if is_png else len(image.getbands())
    shape = (image.height, image.width) if bands == 1 else (image.height, image.width, bands)
    dtype = np.dtype(np.uint16 if is_png and head[_DEPTH] == 16 else np.uint8)
    metadata = metadata_of(image)
    if not is_png:
        stream = _Stream(lambda: _libvips().Source.new_from_file(str(path)), "jpegload_source", shape, dtype)
        return Raster(path, shape, dtype, Recent(stream.read), metadata)
    is_palette = image.mode == "P"
    content = _PlainPng(path, _as_grey(head) if is_palette else head)
    stream = _Stream(content.source, "pngload_source", shape, dtype)
    step = _GREY_STEPS[head[_DEPTH]] if is_palette else 1

    def read(start: int, stop: int) -> np.ndarray:
        rows = stream.read(start, stop)
        content.forget()
        return rows if step == 1 else rows // rows.dtype.type(step)

    return Raster(path, shape, dtype, Recent(read), metadata)


class _Stream:
    """Rows of a picture that is decoded from top to bottom, and anew when earlier ones are asked for.

    Args:
        source: the file, as libvips takes it.
        loader: libvips's name for what decodes it.
        shape: H W or H W C.
        dtype: of the values.
        fail_on: the least that is wrong with a file that is refused, as libvips names it.
    """

    def __init__(
        self,
        source: Callable[[], Any],
        loader: str,
        shape: tuple[int, ...],
        dtype: np.dtype,
        fail_on: str = "truncated",
    ) -> None:
        self._source, self._loader, self._fail_on = source, loader, fail_on
        self._row_shape, self._dtype = shape[1:], dtype
        self._region: Any = None
        self._next = 0

    def read(self, start: int, stop: int) -> np.ndarray:
        if self._region is None or start < self._next:
            vips = _libvips()
            image = getattr(vips.Image, self._loader)(self._source(), access="sequential", fail_on=self._fail_on)
            self._region = vips.Region.new(image)
        self._next = stop
        pixels = self._region.fetch(0, start, self._row_shape[0], stop - start)
        return np.frombuffer(pixels, self._dtype).reshape(-1, *self._row_shape)


class _PlainPng:
    """A PNG file without the chunks between its header and its pixels.

    Args:
        path: the file.
        header: what stands in it for signature and header.
    """

    def __init__(self, path: Path, header: bytes) -> None:
        self._start = next(place for kind, place in _chunks(path) if kind == b"IDAT") - _HEADER
        with path.open("rb") as file:
            self._content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        # Into the memory, not into the file.
        self._content[self._start : self._start + _HEADER] = header

    def source(self) -> Any:
        return _libvips().Source.new_from_memory(memoryview(self._content)[self._start :])

    def forget(self) -> None:
        """Gives back the memory of what was read, but for the header."""
        begin = math.ceil((self._start + _HEADER) / mmap.PAGESIZE) * mmap.PAGESIZE
        if hasattr(mmap, "MADV_DONTNEED") and begin < len(self._content):
            self._content.madvise(mmap.MADV_DONTNEED, begin)


def _as_grey(header: bytes) -> bytes:
    changed = bytearray(header)
    changed[_COLOUR_TYPE] = _GREY
    struct.pack_into(">I", changed, _CHECKSUM, zlib.crc32(changed[_KIND:_CHECKSUM]))
    return bytes(changed)


def _chunks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Kind and place of each chunk of a PNG file."""
    place, size = len(SIGNATURE), path.stat().st_size
    with path.open("rb") as file:
        while file.seek(place) < size - 8:
            length, kind = struct.unpack(">I4s", file.read(8))
            yield kind, place
            place += length + 12


def _open_header(path: Path) -> tuple[bytes, PngImageFile | JpegImageFile | None]:
    """The first bytes, and what Pillow reads of a PNG or JPEG file ahead of its pixels, however many they are."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
        file.seek(0)
        if head.startswith(SIGNATURE):
            return head, PngImageFile(file)
        return head, JpegImageFile(file) if head.startswith(_JPEG) else None


def _libvips() -> Any:
    """The package pyvips, or None. Not imported at the top, because few files need it and many machines lack it."""
    try:
        import pyvips
    except (ImportError, OSError):  # OSError: the Python package is there, the library is not
        return None
    return pyvips
