"""One picture in a TIFF file: what its numbers stand for, what it says beside them, and how it is written."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from pixelwise.metadata import EXIF_SIGNATURE, Metadata, upright_xmp

XMP, ICC, _IPTC = 700, 34675, 33723
_POINTERS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_DESCRIPTIVE = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Copyright,
)
"""Of a directory, most of which says how pixels lie, what is about the photo; all of it text."""

_STRUCTURAL = ('{"shape"', "ImageJ=", "<?xml")
"""How descriptions begin that are for programs: tifffile's, ImageJ's, OME's. They are of a file, not of a photo."""

_BYTE, _ASCII, _LONG = 1, 2, 4
_LITTLE_ENDIAN = b"II*\0\x08\0\0\0"


def orientation_of(page: tifffile.TiffPage) -> int:
    """How a page lies, 1 for upright: TIFF 6.0, Orientation."""
    return int(page.tags.valueof("Orientation", 1))


def unpacked_page(array: np.ndarray, page: tifffile.TiffPage) -> np.ndarray:
    """What the numbers H W of a page stand for: colours of a palette, bits that are black and white, or white as 0."""
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        colours = np.asarray(page.colormap)
        # TIFF 6.0, Sec. 5: 16 bits each. Some programs write 8 all the same.
        shift = 8 if colours.max() > np.iinfo(np.uint8).max else 0
        photo: np.ndarray = (colours.T >> shift).astype(np.uint8)[array]
        return photo
    array = array.astype(np.uint8) * 255 if page.bitspersample == 1 else array
    return ~array if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE else array


def metadata_in(path: Path, file: tifffile.TiffFile) -> Metadata:
    """Of a TIFF file that is open as ``file``; of a BigTIFF but for EXIF data, which cannot be so large."""
    tags = file.pages.first.tags
    profile, xmp = (_bytes(tags.valueof(tag)) for tag in (ICC, XMP))
    unread, exif = ["IPTC data"] if _IPTC in tags else [], b""
    try:
        exif = b"" if file.is_bigtiff else _exif_in(path)
    except Exception:  # on damaged data Pillow raises anything from KeyError to struct.error
        unread.append("EXIF data (damaged)")
    if file.is_bigtiff and any(pointer in tags for pointer in _POINTERS):
        unread.append("EXIF data")
    return Metadata(profile, exif, upright_xmp(xmp), tuple(unread))


def to_tiff(array: np.ndarray, metadata: Metadata) -> bytes:
    """A TIFF file.

    Args:
        array: H W or H W C; 3 or 4 channels of integers are RGB or RGB with alpha, others are grey.
        metadata: goes into it.
    """
    texts, further = exif_parts(metadata.exif)
    # tifffile writes no pointers. What they point to comes last, and until then the next number keeps the place.
    extra: list[tuple[int, int, int, Any, bool]] = [(tag, _ASCII, 0, text, True) for tag, text in texts.items()]
    extra += [(tag + 1, _LONG, 1, 0, True) for tag in further]
    if metadata.xmp:
        extra.append((XMP, _BYTE, len(metadata.xmp), metadata.xmp, True))
    buffer = io.BytesIO()
    colour = array.ndim == 3 and array.shape[2] in (3, 4) and array.dtype != np.float32
    tifffile.imwrite(
        buffer,
        array,
        byteorder="<",
        photometric="rgb" if colour else "minisblack",
        planarconfig=None if array.ndim == 2 else "contig",
        iccprofile=metadata.icc or None,
        metadata=None,
        software=False,
        extratags=extra,
    )
    for tag, directory in further.items():
        _append_directory(buffer, tag, directory)
    return buffer.getvalue()


def exif_parts(exif: bytes) -> tuple[dict[int, bytes], dict[int, ImageFileDirectory_v2]]:
    """Of EXIF data, by their tags, what a file's first directory says itself, and the directories that it points to."""
    parsed = Image.Exif()
    parsed.load(exif)
    texts = {tag: text for tag, text in _as_stored(parsed).items() if tag in _DESCRIPTIVE}
    further: dict[int, ImageFileDirectory_v2] = {}
    for tag in _POINTERS:
        if values := parsed.get_ifd(tag):
            further[tag] = ImageFileDirectory_v2(_LITTLE_ENDIAN, group=tag)
            further[tag].update(_as_stored(values))
    return texts, further


def _exif_in(path: Path) -> bytes:
    """What is about the photo in a TIFF's first directory: EXIF data are a TIFF file themselves."""
    found, kept = Image.Exif(), Image.Exif()
    with path.open("rb") as file:
        found.load_from_fp(file)
        texts = {tag: found[tag] for tag in _DESCRIPTIVE if tag in found}
        kept.update(_as_stored({tag: text for tag, text in texts.items() if not text.startswith(_STRUCTURAL)}))
        details = {tag: _as_stored(found.get_ifd(tag)) for tag in _POINTERS}
    for tag, values in details.items():
        kept.get_ifd(tag).update(values)
    return kept.tobytes().removeprefix(EXIF_SIGNATURE) if kept or any(details.values()) else b""


def _append_directory(buffer: io.BytesIO, tag: int, directory: ImageFileDirectory_v2) -> None:
    """At the end of a little-endian TIFF file, with its place as the value of ``tag``, for which the next stands."""
    place = buffer.seek(0, io.SEEK_END)
    place += buffer.write(bytes(place % 2))
    buffer.write(directory.tobytes(place))
    buffer.seek(0)
    with tifffile.TiffFile(buffer) as file:
        entry = file.pages.first.tags[tag + 1].offset
    buffer.seek(entry)
    buffer.write(struct.pack("<HHII", tag, _LONG, 1, place))


def _as_stored(values: Mapping[int, Any]) -> dict[int, Any]:
    """Texts as the bytes that they were, whatever their encoding: Pillow reads all as Latin-1, and writes ASCII.

    Without the tag that points to further ones, of which nothing is known.
    """
    return {
        tag: value.encode("latin-1") if isinstance(value, str) else value
        for tag, value in values.items()
        if tag != ExifTags.IFD.Interop
    }


def _bytes(value: Any) -> bytes:
    """Of a tag that may be missing, or hold numbers for bytes."""
    return b"" if value is None else bytes(value)
