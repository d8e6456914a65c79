"""Pictures as a study needs them: of formats that browsers show, as they are, and spoilt for catch trials."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from pixelwise import codecs
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError, listed

MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
}
"""Of the suffixes that browsers show."""

_NUM_BLOCKS = 16
_LEAST_BLOCK = 4
_CHANGED = "not as it was when the study was prepared; answers to another picture do not belong to it"


def media_type_of(path: str) -> str:
    """Of a ``Picture.path``; what a study keeps itself is PNG."""
    return MEDIA_TYPES[PurePosixPath(path).suffix.lower()] if path else "image/png"


def read_shown(path: Path) -> np.ndarray:
    """A picture H W or H W C, turned upright.

    Raises:
        InputError: it cannot be read, or browsers do not show its format.
    """
    if path.suffix.lower() not in MEDIA_TYPES:
        raise InputError(f"{path}: browsers do not show {path.suffix}, expected one of {', '.join(MEDIA_TYPES)}")
    return codecs.decode(path, codecs.PHOTO_MODES)


def mosaic(picture: np.ndarray) -> np.ndarray:
    """A picture H W or H W C of integers reduced to 16 x 16 blocks, each of its pixels' mean: nobody takes it for real.

    Of pictures less than 64 pixels high or wide the blocks are of 4 pixels and more, and so fewer.
    """
    means = picture.astype(np.float64)
    for axis in (0, 1):
        side = picture.shape[axis]
        num_blocks = max(1, min(_NUM_BLOCKS, side // _LEAST_BLOCK))
        borders = np.arange(num_blocks + 1) * side // num_blocks
        widths = np.diff(borders)
        shape = [-1 if along == axis else 1 for along in range(picture.ndim)]
        sums = np.add.reduceat(means, borders[:-1], axis)
        means = np.repeat(sums / widths.reshape(shape), widths, axis)
    return np.rint(means).astype(picture.dtype)


def read_unchanged(path: Path, sha256: str) -> bytes:
    """The content of a file. Raises InputError unless it is there and has this SHA-256."""
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"{path}: {_CHANGED}")
    return content


def check_unchanged(files: Mapping[Path, str]) -> None:
    """Raises InputError, naming the first few, unless all files are there and have their SHA-256."""
    changed = [str(path) for path, sha256 in files.items() if not path.is_file() or sha256_of(path) != sha256]
    if changed:
        raise InputError(f"{listed(changed)}: {_CHANGED}")
