"""Image file formats: what a file stores as an array, with nothing converted on the way.

Grey stays one channel, 16 bits stay 16 bits, alpha stays a channel. What cannot be kept (CMYK, animations) is refused
by name, and so is a palette where it may be a label map's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile
from PIL import ExifTags, Image, UnidentifiedImageError

from pixelwise.errors import InputError
from pixelwise.metadata import NO_METADATA, Metadata, metadata_of
from pixelwise.png import SIGNATURE, sixteen_bits
from pixelwise.tiff import metadata_in, orientation_of, unpacked_page

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".npy")
"""Suffixes of the files that can be read, in lower case."""

LOSSY_SUFFIXES = (".jpg", ".jpeg", ".webp")

PLANES_FIRST = ("SYX", "CYX")
"""Axes of TIFF pictures that are stored plane by plane."""

IMAGE_MODES = {"L": "grey", "LA": "grey with alpha", "RGB": "RGB", "RGBA": "RGBA", "I;16": "16-bit grey"}
"""Pillow's modes that store colours or intensities, with their names for people."""

PHOTO_MODES = {**IMAGE_MODES, "P": "palette", "1": "1-bit"}
"""The same of files that are photos for certain: what a palette or a single bit stands for is read then."""

ID_MODES = {"L": "8-bit grey", "I;16": "16-bit grey", "P": "palette", "RGB": "RGB"}
"""Pillow's modes that store ids or their colours, with their names for people."""

_PHOTOMETRICS = {
    tifffile.PHOTOMETRIC.MINISBLACK: "L",
    tifffile.PHOTOMETRIC.RGB: "RGB",
    tifffile.PHOTOMETRIC.PALETTE: "P",
    tifffile.PHOTOMETRIC.SEPARATED: "CMYK",
}
"""Which of Pillow's modes a TIFF's colours are like."""

_PILLOW_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_PNG_DEPTH_OFFSET = 24
_ADVICE = {
    "P": "a palette image; a label map is read as ids, a photo must be saved as RGB",
    "1": "a 1-bit image; save it as 8-bit grey",
    "CMYK": "a CMYK image; convert it to RGB with its colour profile",
}


def decode(path: Path, modes: dict[str, str]) -> np.ndarray:
    """What a file stores: H W or H W C of any dtype; turned upright as its EXIF or TIFF tag says.

    Args:
        path: one of ``SUFFIXES``.
        modes: what it may hold: ``IMAGE_MODES``, ``PHOTO_MODES`` or ``ID_MODES``.

    Raises:
        InputError: the file is missing, empty, damaged or of a kind that could not be kept as it is.
    """
    return decode_with_metadata(path, modes)[0]


def decode_with_metadata(path: Path, modes: dict[str, str]) -> tuple[np.ndarray, Metadata]:
    """What ``decode`` gives and raises, and what the file says beside."""
    check_file(path)
    suffix = path.suffix.lower()
    with reading(path):
        if suffix == ".npy":
            array, metadata = _decode_npy(path), NO_METADATA
        else:
            decoder = _decode_tiff if suffix in (".tif", ".tiff") else _decode_pillow
            array, metadata = decoder(path, modes)
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(f"{path}: is {shape_text(array)}, expected height, width and perhaps channels")
    return array.astype(array.dtype.newbyteorder("="), order="C", copy=False), metadata


def check_file(path: Path) -> None:
    """Raises InputError unless there is a file that is not empty and has one of ``SUFFIXES``."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder, expected a file")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: unknown suffix {path.suffix!r}, expected one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty (0 bytes)")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within it, whatever a decoder raises becomes an InputError that names the file."""
    try:
        yield
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: cannot be read: no {path.suffix} picture, or damaged at its beginning") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: has too many pixels for {path.suffix}; save it as TIFF ({error})") from error
    except Exception as error:  # decoders raise anything from SyntaxError to struct.error on damaged files
        raise InputError(f"{path}: cannot be read, it may be damaged: {error}") from error


def shape_text(array: np.ndarray) -> str:
    """Shape and dtype for a message: ``480x640x3 uint8``."""
    return f"{'x'.join(str(side) for side in array.shape) or 'a single'} {array.dtype}"


def _decode_npy(path: Path) -> np.ndarray:
    # Not np.load, which would also open archives and, told to, pickles.
    with path.open("rb") as file:
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _decode_tiff(path: Path, modes: dict[str, str]) -> tuple[np.ndarray, Metadata]:
    with tifffile.TiffFile(path) as file:
        series = tiff_picture(path, file, modes)
        if not has_codec(series.keyframe):
            return _decode_tiff_by_pillow(path, series, modes), metadata_in(path, file)
        array: np.ndarray = series.asarray()
        array = np.moveaxis(array, 0, -1) if series.axes in PLANES_FIRST else array
        if is_packed(file.pages.first, modes):
            array = unpacked_page(array, file.pages.first)
        return _upright(array, orientation_of(file.pages.first)), metadata_in(path, file)


def _decode_tiff_by_pillow(path: Path, series: tifffile.TiffPageSeries, modes: dict[str, str]) -> np.ndarray:
    """H W or H W C, upright, of what tifffile cannot decompress and Pillow can without loss: it would drop bits of
    deeper samples, take signs for bits and the first page for all, and JPEG changes ids."""
    page = series.keyframe
    if page.compression != tifffile.COMPRESSION.LZW or page.dtype != np.uint8 or len(series) > 1:
        raise InputError(f"{path}: is {codec_advice(page)}")
    with Image.open(path, formats=("TIFF",)) as image:
        check_pillow(path, image, 8, modes)
        # Pillow turns a TIFF upright when it is loaded.
        return np.array(unpacked(image) if modes is PHOTO_MODES else image)


def tiff_picture(path: Path, file: tifffile.TiffFile, modes: dict[str, str]) -> tifffile.TiffPageSeries:
    """The one picture that a TIFF file holds, not yet decoded, of axes Y, X and perhaps channels.

    Args:
        path: named in errors.
        file: opened.
        modes: as for ``decode``.

    Raises:
        InputError: it holds something else, or what could not be kept as it is.
    """
    page, series = file.pages.first, file.series[0]
    mode = _PHOTOMETRICS.get(tifffile.PHOTOMETRIC(page.photometric))
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and modes is PHOTO_MODES:
        mode = "L"
    if mode is None:
        raise InputError(f"{path}: is a TIFF of {page.photometric!r}, expected MINISBLACK (any channels) or RGB")
    if mode in _ADVICE and mode not in modes:
        raise InputError(f"{path}: is {_ADVICE[mode]}")
    if series.axes not in ("YX", "YXS", "YXC", *PLANES_FIRST):
        raise InputError(f"{path}: has axes {series.axes} {series.shape}, expected one picture: Y, X and channels")
    if any(not other.keyframe.is_reduced for other in file.series[1:]):
        raise InputError(f"{path}: holds {len(file.series)} pictures; save each as a file")
    return series


def has_codec(page: tifffile.TiffPage) -> bool:
    """Whether tifffile can decompress a page; for LZW, JPEG and others it asks for a package."""
    return page.compression in tifffile.TIFF.DECOMPRESSORS and page.predictor in tifffile.TIFF.UNPREDICTORS


def codec_advice(page: tifffile.TiffPage) -> str:
    """What a file is whose page it cannot decompress, and what to do about it."""
    name = tifffile.COMPRESSION(page.compression).name
    return (
        f"a TIFF compressed by {name}, which only the package imagecodecs can decompress; install it, or save the "
        "picture with deflate or uncompressed"
    )


def is_packed(page: tifffile.TiffPage, modes: dict[str, str]) -> bool:
    """Whether ``decode`` gives something else than the numbers of a TIFF's page: what they stand for."""
    plain = page.photometric in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.RGB)
    return modes is PHOTO_MODES and (page.bitspersample == 1 or not plain)


def _decode_pillow(path: Path, modes: dict[str, str]) -> tuple[np.ndarray, Metadata]:
    with path.open("rb") as file:
        head = file.read(_PNG_DEPTH_OFFSET + 1)
        depth = head[-1] if head.startswith(SIGNATURE) else 8
        with Image.open(file, formats=_PILLOW_FORMATS) as image:
            check_pillow(path, image, depth, modes)
            if depth == 16 and image.mode != "I;16":
                array = sixteen_bits(image, file)
            else:
                array = np.array(unpacked(image) if modes is PHOTO_MODES else image)
            return _upright(array, image.getexif().get(ExifTags.Base.Orientation, 1)), metadata_of(image)


def unpacked(image: Image.Image) -> Image.Image:
    """What a palette or a single bit stands for, without any loss; another image as it is."""
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    return image.convert("L") if image.mode == "1" else image


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """H W or H W C from how a camera held it: TIFF 6.0, Orientation, where row 0 and column 0 are."""
    array = array.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else array
    array = array[::-1] if orientation in (3, 4, 7, 8) else array
    return array[:, ::-1] if orientation in (2, 3, 6, 7) else array


def check_pillow(path: Path, image: Image.Image, depth: int, modes: dict[str, str]) -> None:
    """Raises InputError for a file that Pillow has opened and that could not be kept as it is.

    Args:
        path: named in the error.
        image: not yet decoded.
        depth: bits of a PNG's samples; 8 for other formats.
        modes: as for ``decode``.
    """
    num_frames = getattr(image, "n_frames", 1)
    # No animations: a phone's MPO is a JPEG with a second view or a depth map behind the photo, and what follows the
    # picture of a TIFF are its smaller levels, see ``tiff_picture``.
    if num_frames > 1 and image.format not in ("MPO", "TIFF"):
        raise InputError(f"{path}: is an animation of {num_frames} frames; save each as a file")
    if modes is ID_MODES and image.format not in ("PNG", "BMP", "GIF", "TIFF"):
        raise InputError(f"{path}: is {image.format} inside, which changes ids when it compresses; save it as PNG")
    if image.mode not in modes:
        advice = _ADVICE.get(image.mode, f"a {image.mode} image")
        raise InputError(f"{path}: is {advice} (expected {', '.join(modes.values())})")
    if depth < 8 and image.mode == "L" and modes is ID_MODES:
        raise InputError(f"{path}: is {depth}-bit grey, which scales ids; save it as 8-bit grey or palette")
