"""Image files, label maps, and the [-1, 1] that networks read: the only place that converts between them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pixelwise.codecs import (
    ID_MODES,
    IMAGE_MODES,
    LOSSY_SUFFIXES,
    PHOTO_MODES,
    decode,
    decode_with_metadata,
    shape_text,
)
from pixelwise.encoding import encode, palette_to_bytes, store, to_bytes
from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.labels import LabelSpec
from pixelwise.metadata import NO_METADATA, Metadata

_WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
_MAX_ID = 2**31 - 1

GREY_LEVEL = 2 / 255
"""One of 8 bits, in [-1, 1]."""

METRES = {"mm": 1e-3, "m": 1.0}
"""Units of depth."""


@dataclass(frozen=True)
class ImageSpec:
    """How one kind of image is stored, and what its values mean.

    Attributes:
        channels: planes of every image.
        dtype: "uint8", "uint16" or "float32".
        white: the stored value that becomes +1, while 0 becomes -1; for depth in millimetres perhaps 10 000. 0 stands
            for the most that the integers hold, and for 1 with float32.
        grey_as_colour: whether a one-channel file is taken as three equal channels (COCO has some among its photos).
        unit: what the values of a depth map count: a name in ``METRES``; empty for brightness.
        holes: whether 0 says that nothing was measured at a pixel.
    """

    channels: int = 3
    dtype: str = "uint8"
    white: float = 0
    grey_as_colour: bool = False
    unit: str = ""
    holes: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in _WHITE:
            raise InputError(f"an image's dtype is one of {', '.join(_WHITE)}, got {self.dtype!r}")
        object.__setattr__(self, "white", float(self.white) or _WHITE[self.dtype])
        if self.channels < 1 or not 0 < self.white < math.inf:
            raise InputError(f"an image needs channels >= 1 and white > 0, got {self.channels} and {self.white}")
        if self.dtype != "float32" and self.white > _WHITE[self.dtype]:
            raise InputError(f"{self.dtype} holds at most {_WHITE[self.dtype]:g}, white cannot be {self.white:g}")
        if self.grey_as_colour and self.channels != 3:
            raise InputError(f"grey_as_colour makes three channels, but the spec has {self.channels}")
        if self.unit not in ("", *METRES):
            raise InputError(f"an image's unit is one of {', '.join(METRES)}, or empty, got {self.unit!r}")

    def of_photo(self, channels: int, dtype: str) -> ImageSpec:
        """How a photo of this kind is stored with other channels or in other numbers, where black and white stay so.

        Raises:
            InputError: this is no photo: its values count something, or its white is not the most that they can be.
        """
        if self.unit or self.white != _WHITE[self.dtype]:
            raise InputError(
                f"values up to {self.white:g} {self.unit}".rstrip() + f" are {self.dtype} and nothing else"
            )
        return ImageSpec(channels, dtype)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> ImageSpec:
        """The inverse of ``to_json``; fields may be left out. Raises InputError for unknown or wrong ones."""
        try:
            return from_fields(cls, content)
        except InputError as error:
            raise InputError(f"not an image spec: {error}") from error


TargetSpec = ImageSpec | LabelSpec
"""What a model makes: pictures, or label maps."""


def num_outputs(target: TargetSpec) -> int:
    """Channels of a generator's output: those of its pictures, or one logit for each class."""
    return target.num_classes if isinstance(target, LabelSpec) else target.channels


def read(path: Path | str) -> np.ndarray:
    """A PNG, JPEG, BMP, GIF, WebP, TIFF or NPY file as it is stored, but turned upright as its EXIF tag says.

    Returns:
        H W C, uint8, uint16 or float32; grey has C = 1.

    Raises:
        InputError: the file is missing, empty, damaged or of a kind that could not be kept as it is.
    """
    return _checked(decode(Path(path), IMAGE_MODES), path)


def read_photo(path: Path | str) -> tuple[np.ndarray, Metadata]:
    """What ``read`` returns and raises, of a file that is a photo for certain and may have a palette or single bits.

    Returns:
        Also what the file says beside its pixels.
    """
    array, metadata = decode_with_metadata(Path(path), PHOTO_MODES)
    return _checked(array, path), metadata


def _checked(array: np.ndarray, path: Path | str) -> np.ndarray:
    if array.dtype.name not in _WHITE:
        raise InputError(f"{path}: stores {array.dtype}, expected {', '.join(_WHITE)}; save it as one of them")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{path}: {np.count_nonzero(~np.isfinite(array))} values are NaN or infinite")
    return array[..., None] if array.ndim == 2 else array


def read_ids(path: Path | str) -> np.ndarray:
    """A label or instance map as it is stored: palette or grey PNG, BMP, TIFF or NPY; or colours.

    Returns:
        H W int32 ids >= 0 (of a palette image the ids, not the colours), or H W 3 uint8 colours.

    Raises:
        InputError: as ``read``; also a lossy file, an alpha channel, values that are no integers in 0..2^31 - 1.
    """
    path = Path(path)
    if path.suffix.lower() in LOSSY_SUFFIXES:
        raise InputError(f"{path}: {path.suffix} changes ids when it compresses; save the map as PNG")
    return check_ids(decode(path, ID_MODES), path)


def check_ids(array: np.ndarray, source: str | Path) -> np.ndarray:
    """What ``read_ids`` returns and raises, for an array that did not come from a file."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.size and array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8:
        return array
    if array.size == 0 or array.ndim != 2 or array.dtype.kind not in "iu":
        raise InputError(f"{source}: {shape_text(array)} is no map of ids; expected one channel of integers, or RGB")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > _MAX_ID:
        raise InputError(f"{source}: ids run from {low} to {high}, expected 0..{_MAX_ID}")
    return array.astype(np.int32)


def read_labels(path: Path | str, spec: LabelSpec) -> np.ndarray:
    """A label map, in ids or in the spec's colours, as class indices H W int32 in 0..num_channels - 1.

    Raises:
        InputError: as ``read_ids``; ids or colours that the spec does not know, each with its number of pixels.
    """
    return index_labels(read_ids(path), spec, path)


def index_labels(stored: np.ndarray, spec: LabelSpec, source: str | Path = "label map") -> np.ndarray:
    """What ``read_ids`` returns as class indices H W int32. Raises InputError as ``read_labels``."""
    return spec.index(stored, source) if stored.ndim == 2 else spec.index_colours(stored, source)


def read_instances(path: Path | str) -> np.ndarray:
    """An instance map as H W int32; colours count as 24-bit ids, red first. Raises InputError as ``read_ids``."""
    return pack_ids(read_ids(path))


def pack_ids(stored: np.ndarray) -> np.ndarray:
    """What ``read_ids`` returns as H W int32, colours as 24-bit ids."""
    if stored.ndim == 2:
        return stored
    packed: np.ndarray = stored.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    return packed


def to_tensor(array: np.ndarray, spec: ImageSpec, source: str | Path = "image") -> Tensor:
    """Stored values to what networks read.

    Args:
        array: H W C of the spec's channels and dtype. Integers lie in 0..white; floats may leave that range by its own
            width on either side, for noise that nobody clipped.
        source: named in the error.

    Returns:
        C H W float32; 0..white becomes -1..1.

    Raises:
        InputError: other channels, dtype or values than the spec states.
    """
    if spec.grey_as_colour and array.shape[2:] == (1,):
        array = np.repeat(array, 3, axis=2)
    if array.ndim != 3 or array.shape[2] != spec.channels or array.dtype.name != spec.dtype:
        raise InputError(f"{source}: is {shape_text(array)}, expected {spec.channels} channels of {spec.dtype}")
    margin = spec.white if spec.dtype == "float32" else 0
    # Asked this way round, NaN fails too.
    if array.size and not (array.max() <= spec.white + margin and array.min() >= -margin):
        raise InputError(
            f"{source}: values run from {array.min()} to {array.max()}, expected 0..{spec.white:g} (white)"
        )
    planes = np.ascontiguousarray(array.transpose(2, 0, 1), np.float32)
    return torch.from_numpy(planes * np.float32(2 / spec.white) - np.float32(1))


def from_tensor(tensor: Tensor, spec: ImageSpec) -> np.ndarray:
    """The inverse of ``to_tensor``: C H W in [-1, 1] (what lies outside is clipped) to H W C of the spec's dtype.

    Raises:
        InputError: another number of channels than the spec states.
    """
    if tensor.dim() != 3 or len(tensor) != spec.channels:
        raise InputError(f"expected a tensor of {spec.channels} channels, height and width; got {tuple(tensor.shape)}")
    planes = tensor.detach().to("cpu", torch.float32).numpy()
    # By NumPy, on one thread: whoever writes many pictures does so beside a network that has the others.
    stored = np.empty((*planes.shape[1:], len(planes)), spec.dtype)
    values = np.empty(planes.shape[1:], np.float32)
    for channel, plane in enumerate(planes):
        np.clip(plane, -1, 1, out=values)
        values += 1
        values *= spec.white / 2
        stored[..., channel] = values if spec.dtype == "float32" else np.rint(values, out=values)
    return stored


def measured(picture: Tensor, spec: ImageSpec) -> Tensor | None:
    """Where a picture C H W, as ``to_tensor`` returns it, is more than a hole: 1 H W bool; None without holes."""
    # 0 becomes -1 to the last bit.
    return (picture != -1).any(dim=0, keepdim=True) if spec.holes else None


def write(path: Path | str, array: np.ndarray, metadata: Metadata = NO_METADATA) -> None:
    """Write an image H W or H W C as it is: PNG, TIFF or NPY without loss, or JPEG; whole or not at all.

    As much of the metadata is written as the format keeps.

    Raises:
        InputError: see ``pixelwise.encoding.encode``.
    """
    encode(Path(path), array, metadata)


def write_labels(path: Path | str, labels: np.ndarray, spec: LabelSpec) -> None:
    """Write class indices H W as a PNG of file ids: a palette in the spec's colours, or 16-bit grey for ids above 255.

    Raises:
        InputError: the suffix is not .png, or an index that the spec does not know.
    """
    path = Path(path)
    store(path, ids_to_bytes(path, _file_ids(path, labels, spec), spec))


def ids_to_bytes(path: Path, ids: np.ndarray, spec: LabelSpec) -> bytes:
    """The content of that file, of file ids H W: what ``stored`` makes of class indices. Raises InputError for another
    suffix."""
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: only .png files keep label maps")
    return palette_to_bytes(ids, palette(spec)) if ids.dtype == np.uint8 else to_bytes(path, ids)


def palette(spec: LabelSpec) -> np.ndarray:
    """The colour of every 8-bit file id, 256 3 uint8; black where there is no class."""
    colours = np.zeros((256, 3), np.uint8)
    colours[spec.file_ids(np.arange(spec.num_channels))] = spec.colours
    return colours


def stored(output: Tensor, target: TargetSpec) -> np.ndarray:
    """What a file holds of a model's output: see ``from_tensor`` of C H W, or of class indices H W their file ids."""
    if isinstance(target, LabelSpec):
        return _file_ids("label map", output.cpu().numpy(), target)
    made = from_tensor(output, target)
    # A model has measured everywhere: what it takes to be very near is not to be read as a hole.
    return np.maximum(made, _nearest(target)) if target.holes else made


def _nearest(spec: ImageSpec) -> float:
    """The least stored value that ``to_tensor`` does not take for 0, as it rounds to float32."""
    return spec.white * float(np.finfo(np.float32).eps) if spec.dtype == "float32" else 1


def _file_ids(source: str | Path, labels: np.ndarray, spec: LabelSpec) -> np.ndarray:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= spec.num_channels:
        raise InputError(f"{source}: labels run from {low} to {high}, expected 0..{spec.num_channels - 1}")
    return spec.file_ids(labels)
