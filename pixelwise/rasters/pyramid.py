"""Pyramidal TIFF by rows, in the layout that OpenSlide, QuPath, libvips and tifffile read.

Tiles, the largest level first, smaller ones as pages of their own that are marked as reduced.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from isal import isal_zlib
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from pixelwise.atomic import replacement
from pixelwise.errors import InputError
from pixelwise.metadata import NO_METADATA, Metadata
from pixelwise.rasters.cascade import Cascade, level_sizes
from pixelwise.rasters.disk import check_space, writing
from pixelwise.rasters.tiled_tiff import Field, TiledTiff
from pixelwise.tiff import ICC, XMP, exif_parts

_CLASSIC_LIMIT = 4_000_000_000
"""Bytes of pixels from which a file is a BigTIFF. A classic one ends at 2^32; the rest is for directories."""

_TILE_PLACES, _TILE_LENGTHS = 324, 325
_REDUCED = 1
_UNCOMPRESSED, _DEFLATE = 1, 8
_GREY, _RGB = 1, 2
_INTERLEAVED = 1
_NO_PREDICTOR, _HORIZONTAL = 1, 2
_UNSPECIFIED, _ALPHA = 0, 2
_UNSIGNED, _FLOAT = 1, 3
_LEVEL = 1
"""Of ISA-L's compression: those above it take longer for about one per cent."""


@contextmanager
def write_pyramid(
    path: Path,
    size: tuple[int, int],
    channels: int,
    dtype: str,
    metadata: Metadata = NO_METADATA,
    *,
    tile: int = 512,
    compressed: bool = True,
) -> Iterator[Callable[[np.ndarray], None]]:
    """A tiled TIFF with a pyramid, written by rows in memory of about two rows of tiles.

    A BigTIFF when it could grow beyond 4 GB. The file is there when all rows have come, or not at all. ::

        with write_pyramid(path, (height, width), 3, "uint8") as push:
            for rows in bands:
                push(rows)

    Args:
        path: a .tif or .tiff file; folders above it are made, a file of that name is replaced.
        size: (height, width) in pixels.
        channels: of every pixel. 3 or 4 integers are RGB or RGB with alpha, others are grey.
        dtype: "uint8", "uint16" or "float32".
        metadata: is written; EXIF data not into a BigTIFF, see ``is_big``.
        tile: side of a tile in pixels, a multiple of 16. Levels are halved until one tile holds them.
        compressed: by deflate, which photos shrink to about half by; otherwise tiles are stored as they are.

    Yields:
        What takes the next rows: H W C, or H W for one channel; any number at a time.

    Raises:
        InputError: another suffix or dtype, an empty picture, a tile that TIFF does not know, less room on the disk
            than the pixels take uncompressed; or, later, when the system refuses to write.
        ValueError: fewer or more rows than stated, or of another shape or dtype.
    """
    _check(path, tile)
    tiles, sizes = _Tiles(channels, np.dtype(dtype), tile, compressed), level_sizes(size, tile)
    check_space(path, sum(map(tiles.num_bytes, sizes)))
    # Now, not when all rows have come: should they be damaged, nothing is lost yet.
    texts, further = exif_parts(metadata.exif)
    with ExitStack() as stack:
        with writing(path):
            beside = stack.enter_context(replacement(path))
            file = stack.enter_context(beside.open("wb", buffering=0))
            tiff = TiledTiff(file, big := is_big(size, channels, dtype, tile))
        pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
        places: list[list[int]] = [[] for _ in sizes]
        lengths: list[list[int]] = [[] for _ in sizes]

        def emit(level: int, _: int, rows: np.ndarray) -> None:
            with writing(path):
                for content in pool.map(tiles.encode, tiles.cut(rows)):
                    places[level].append(tiff.append(content))
                    lengths[level].append(len(content))

        cascade = Cascade(sizes, channels, np.dtype(dtype), tile, 0, emit)
        yield cascade.push
        cascade.finish()
        with writing(path):
            directories = _directories(tiles, sizes, (tiff.place_type, places, lengths))
            directories[0] |= _described(metadata) | ({} if big else _with_exif(tiff, texts, further))
            tiff.finish(directories)
            stack.close()


def is_big(size: tuple[int, int], channels: int, dtype: str, tile: int = 512) -> bool:
    """Whether a pyramid becomes a BigTIFF, since it could grow beyond 4 GB. Arguments are as for ``write_pyramid``."""
    tiles = _Tiles(channels, np.dtype(dtype), tile, compressed=False)
    return sum(map(tiles.num_bytes, level_sizes(size, tile))) > _CLASSIC_LIMIT


def _directories(
    tiles: _Tiles,
    sizes: list[tuple[int, int]],
    located: tuple[str, list[list[int]], list[list[int]]],
) -> list[dict[int, Field]]:
    """What the file says of each level, the largest first: in what type places are written, and those and lengths."""
    place_type, places, lengths = located
    return [
        tiles.fields(level, is_reduced=number > 0)
        | {_TILE_PLACES: (place_type, places[number]), _TILE_LENGTHS: (place_type, lengths[number])}
        for number, level in enumerate(sizes)
    ]


def _described(metadata: Metadata) -> dict[int, Field]:
    said = {XMP: metadata.xmp, ICC: metadata.icc}
    return {tag: ("B", content) for tag, content in said.items() if content}


def _with_exif(
    tiff: TiledTiff, texts: Mapping[int, bytes], further: Mapping[int, ImageFileDirectory_v2]
) -> dict[int, Field]:
    """What the first directory says of the photo. The directories that it points to are written."""
    fields: dict[int, Field] = {tag: ("A", text + b"\0") for tag, text in texts.items()}
    for tag, directory in further.items():
        place = tiff.aligned()
        fields[tag] = ("I", [place])
        tiff.append(directory.tobytes(place))
    return fields


def _check(path: Path, tile: int) -> None:
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise InputError(f"{path}: a pyramid is written as .tif or .tiff, not as {path.suffix!r}")
    if tile < 16 or tile % 16:
        raise InputError(f"the side of a tile must be a multiple of 16, got {tile}")


@dataclass(frozen=True)
class _Tiles:
    """How tiles hold pixels."""

    channels: int
    dtype: np.dtype
    side: int
    compressed: bool

    def num_bytes(self, size: tuple[int, int]) -> int:
        """What all tiles of a level take uncompressed."""
        num_tiles = math.ceil(size[0] / self.side) * math.ceil(size[1] / self.side)
        return num_tiles * self.side**2 * self.channels * self.dtype.itemsize

    def cut(self, rows: np.ndarray) -> list[np.ndarray]:
        return [rows[:, left : left + self.side] for left in range(0, rows.shape[1], self.side)]

    def encode(self, pixels: np.ndarray) -> bytes:
        tile = np.zeros((self.side, self.side, self.channels), self.dtype.newbyteorder("<"))
        tile[: pixels.shape[0], : pixels.shape[1]] = pixels
        if self._predictor == _HORIZONTAL:
            tile[:, 1:] = np.diff(tile, axis=1)
        return isal_zlib.compress(tile.data, _LEVEL) if self.compressed else tile.tobytes()

    def fields(self, size: tuple[int, int], is_reduced: bool) -> dict[int, Field]:
        """A level's directory, but for where its tiles lie. The tags are in TIFF 6.0's order and by its numbers."""
        is_colour = self.channels in (3, 4) and self.dtype.kind == "u"
        num_extra = self.channels - (3 if is_colour else 1)
        fields: dict[int, Field] = {
            254: ("I", [_REDUCED if is_reduced else 0]),  # NewSubfileType
            256: ("I", [size[1]]),  # ImageWidth
            257: ("I", [size[0]]),  # ImageLength
            258: ("H", [8 * self.dtype.itemsize] * self.channels),  # BitsPerSample
            259: ("H", [_DEFLATE if self.compressed else _UNCOMPRESSED]),  # Compression
            262: ("H", [_RGB if is_colour else _GREY]),  # PhotometricInterpretation
            277: ("H", [self.channels]),  # SamplesPerPixel
            284: ("H", [_INTERLEAVED]),  # PlanarConfiguration
            317: ("H", [self._predictor]),  # Predictor
            322: ("I", [self.side]),  # TileWidth
            323: ("I", [self.side]),  # TileLength
            338: ("H", [_ALPHA if is_colour else _UNSPECIFIED] * num_extra),  # ExtraSamples
            339: ("H", [_FLOAT if self.dtype.kind == "f" else _UNSIGNED] * self.channels),  # SampleFormat
        }
        return {tag: field for tag, field in fields.items() if field[1]}

    @property
    def _predictor(self) -> int:
        return _HORIZONTAL if self.compressed and self.dtype.kind == "u" else _NO_PREDICTOR
