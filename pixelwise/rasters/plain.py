"""Files without a pyramid by rows: PNG and JPEG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from pixelwise.atomic import replacement
from pixelwise.encoding import check_kept
from pixelwise.errors import InputError
from pixelwise.jpeg import JpegRows
from pixelwise.metadata import NO_METADATA, Metadata
from pixelwise.png import PngRows
from pixelwise.rasters.disk import check_space, writing

PushRows = Callable[[np.ndarray], None]


class _Encoder(Protocol):
    """Makes a file of rows H W C."""

    def push(self, rows: np.ndarray) -> None: ...
    def finish(self) -> None: ...


def write_png(
    path: Path, size: tuple[int, int], channels: int, dtype: str, metadata: Metadata = NO_METADATA
) -> AbstractContextManager[PushRows]:
    """A PNG file, written by rows in memory of those that come at a time.

    The file is there when all rows have come, or not at all. ::

        with write_png(path, (height, width), 3, "uint8") as push:
            for rows in bands:
                push(rows)

    Args:
        path: a .png file; folders above it are made, a file of that name is replaced.
        size: (height, width) in pixels.
        channels: of every pixel: grey, grey with alpha, RGB or RGB with alpha.
        dtype: "uint8" or "uint16".
        metadata: is written.

    Yields:
        What takes the next rows: H W C, or H W for one channel; any number at a time.

    Raises:
        InputError: another suffix, channels or dtype, an empty picture, less room on the disk than the pixels take
            uncompressed; or, later, when the system refuses to write.
        ValueError: fewer or more rows than stated, or of another shape or dtype.
    """
    chunks = metadata.png_chunks()
    return _written(
        (".png",), path, size, channels, dtype, lambda write: PngRows(write, size, channels, np.dtype(dtype), chunks)
    )


def write_jpeg(
    path: Path, size: tuple[int, int], channels: int, dtype: str, metadata: Metadata = NO_METADATA
) -> AbstractContextManager[PushRows]:
    """The same of a JPEG file: the picture that ``encoding.encode`` would write.

    Args:
        path: a .jpg or .jpeg file.
        channels: grey or RGB.
        dtype: "uint8".
        size, metadata: see ``write_png``. A JPEG has at most 65500 pixels a side.
    """
    fields = metadata.kept_in(path.suffix.lower()).pillow_fields()
    return _written(
        (".jpg", ".jpeg"), path, size, channels, dtype, lambda write: JpegRows(write, size, channels, fields)
    )


@contextmanager
def _written(
    suffixes: tuple[str, ...],
    path: Path,
    size: tuple[int, int],
    channels: int,
    dtype: str,
    encoder: Callable[[Callable[[bytes], object]], _Encoder],
) -> Iterator[PushRows]:
    """A file of one of the suffixes, of what ``encoder``, told what takes the next bytes, makes of the rows."""
    if path.suffix.lower() not in suffixes or min(size) < 1:
        raise InputError(
            f"{path}: cannot write {size[1]}x{size[0]} pixels (width x height) by rows, expected a {suffixes[0]} file"
        )
    check_kept(path, size, channels, dtype)
    check_space(path, size[0] * size[1] * channels * np.dtype(dtype).itemsize)
    num_rows = 0
    with ExitStack() as stack:
        with writing(path):
            beside = stack.enter_context(replacement(path))
            # Without a buffer: what a full disk refuses must not be tried again at closing.
            file = stack.enter_context(beside.open("wb", buffering=0))

            def append(content: bytes) -> None:
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]

            encoded = encoder(append)

        def push(rows: np.ndarray) -> None:
            nonlocal num_rows
            rows = rows[..., None] if rows.ndim == 2 else rows
            num_rows += len(rows)
            expected = (size[1], channels)
            if rows.shape[1:] != expected or rows.dtype != dtype or num_rows > size[0]:
                raise ValueError(
                    f"expected {size[0]} rows of {expected[0]} pixels, {channels} channels of {dtype}; got row "
                    f"{num_rows} of {rows.shape}, {rows.dtype}"
                )
            with writing(path):
                encoded.push(rows)

        yield push
        if num_rows != size[0]:
            raise ValueError(f"only {num_rows} of {size[0]} rows were written")
        with writing(path):
            encoded.finish()
            stack.close()
