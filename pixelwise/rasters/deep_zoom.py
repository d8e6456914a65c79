"""Deep Zoom by rows: a folder of small pictures that viewers in browsers load as they need them.

``name.dzi`` describes ``name_files/LEVEL/COLUMN_ROW.jpg``; level 0 is a single pixel, the last one the picture itself.
What JPEG cannot keep, such as alpha or 16 bits, lies in tiles that are PNG files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from pixelwise.atomic import folder_replacement, replacement
from pixelwise.encoding import keeps, to_bytes
from pixelwise.errors import InputError
from pixelwise.metadata import NO_METADATA, Metadata
from pixelwise.rasters.cascade import Cascade, level_sizes
from pixelwise.rasters.disk import check_space, writing

_TILE_SUFFIXES = (".jpg", ".png")

_DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="{suffix}" Overlap="{overlap}" TileSize="{tile}">
  <Size Width="{width}" Height="{height}"/>
</Image>
"""


@contextmanager
def write_deep_zoom(
    path: Path,
    size: tuple[int, int],
    channels: int,
    dtype: str,
    metadata: Metadata = NO_METADATA,
    *,
    tile: int = 254,
    overlap: int = 1,
    suffix: str | None = None,
) -> Iterator[Callable[[np.ndarray], None]]:
    """A Deep Zoom pyramid, written by rows in memory of about two rows of tiles.

    The folder gets its name when all rows have come, the .dzi file after it; or nothing is there at all. ::

        with write_deep_zoom(path, (height, width), 3, "uint8") as push:
            for rows in bands:
                push(rows)

    Args:
        path: a .dzi file; the tiles' folder lies beside it. A pyramid of that name is replaced.
        size: (height, width) in pixels.
        channels: of every pixel: what ``encoding.encode`` knows to write with ``suffix``.
        dtype: "uint8", or "uint16" where ``suffix`` can keep it.
        metadata: of it, the colour profile is written into every tile.
        tile: side of a tile in pixels without its overlap, an even number.
        overlap: pixels that a tile shares with its neighbours on each side, for viewers that interpolate.
        suffix: of the tiles, ".jpg" or ".png"; None for the first of them that keeps such pixels.

    Yields:
        What takes the next rows: H W C, or H W for one channel; any number at a time.

    Raises:
        InputError: another suffix, channels or dtype that the tiles cannot keep, an empty picture, a folder in the
            place of the tiles that has no .dzi file, less room on the disk than the pixels take uncompressed; or,
            later, when the system refuses to write.
        ValueError: fewer or more rows than stated, or of another shape or dtype.
    """
    sizes = level_sizes(size, 1)
    suffix = _tile_suffix(path, channels, np.dtype(dtype), suffix)
    _check(path, sizes, channels * np.dtype(dtype).itemsize, tile, overlap)
    said = metadata.kept_in(path.suffix.lower())
    with ExitStack() as stack:
        with writing(path):
            description = stack.enter_context(replacement(path))
            folder = stack.enter_context(folder_replacement(_tiles_folder(path)))

        def emit(level: int, row: int, rows: np.ndarray) -> None:
            beside = folder / str(len(sizes) - 1 - level)
            with writing(path):
                beside.mkdir(exist_ok=True)
                for column, left in enumerate(range(0, rows.shape[1], tile)):
                    name = beside / f"{column}_{row}{suffix}"
                    name.write_bytes(to_bytes(name, rows[:, max(left - overlap, 0) : left + tile + overlap], said))

        cascade = Cascade(sizes, channels, np.dtype(dtype), tile, overlap, emit)
        yield cascade.push
        cascade.finish()
        with writing(path):
            description.write_text(_described(size, tile, overlap, suffix))
            stack.close()


def _described(size: tuple[int, int], tile: int, overlap: int, suffix: str) -> str:
    return _DESCRIPTION.format(suffix=suffix[1:], overlap=overlap, tile=tile, height=size[0], width=size[1])


def _tiles_folder(path: Path) -> Path:
    return path.with_name(f"{path.stem}_files")


def _tile_suffix(path: Path, channels: int, dtype: np.dtype, wanted: str | None) -> str:
    """What is wanted, or the first that keeps such pixels. Raises InputError where nothing does."""
    if wanted not in (None, *_TILE_SUFFIXES):
        raise InputError(f"{path}: tiles of Deep Zoom are {' or '.join(_TILE_SUFFIXES)} files, not {wanted!r}")
    possible = _TILE_SUFFIXES if wanted is None else (wanted,)
    for suffix in possible:
        if keeps(suffix, channels, dtype.name):
            return suffix
    raise InputError(f"{path}: tiles that are {' or '.join(possible)} files cannot keep {channels} channels of {dtype}")


def _check(path: Path, sizes: list[tuple[int, int]], pixel_bytes: int, tile: int, overlap: int) -> None:
    if tile < 2 or tile % 2 or overlap < 0:
        raise InputError(f"the side of a tile must be even and its overlap >= 0, got {tile} and {overlap}")
    if path.suffix.lower() != ".dzi":
        raise InputError(f"{path}: Deep Zoom is written as .dzi, not as {path.suffix!r}")
    folder = _tiles_folder(path)
    if folder.exists() and not path.exists():
        raise InputError(f"{folder} is there already, and without {path} not known to be replaceable; remove it first")
    check_space(path, pixel_bytes * sum(height * width for height, width in sizes))
