"""The memory bank of SIMS (Qi, Chen, Jia, Koltun, CVPR 2018): the segments of a training set, to be found by their
shape and context.

One safetensors file. It holds every picture and every map of components once, however many segments look at them
(``colours/0`` H W C uint8, ``components/0`` H W uint16, …), and of all segments together, in the order of their
classes: ``classes`` N, ``pictures`` N, ``numbers`` N, ``boxes`` N 4, ``shapes`` N GRID GRID and ``contexts`` N GRID
GRID, see ``Segment``. Its header says the rest in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pixelwise.atomic import write_atomically
from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.labels import LabelSpec
from pixelwise.models.memory import BankReference
from pixelwise.models.sims_segments import GRID, OUTSIDE, Segment, components, cut

HEADER_KEY = "pixelwise bank"
VERSION = 1

_MAX_COMPONENTS = 65536
_OF_SEGMENTS: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "classes": (np.uint8, ()),
    "pictures": (np.int32, ()),
    "numbers": (np.uint16, ()),
    "boxes": (np.int32, (4,)),
    "shapes": (np.bool_, (GRID, GRID)),
    "contexts": (np.uint8, (GRID, GRID)),
}
"""Type, and shape behind the number of segments, of what the file says of them."""


@dataclass(frozen=True)
class BankHeader:
    """What a bank says of itself.

    Attributes:
        labels: the classes of its segments.
        channels: of its pictures.
        names: of its pictures, in their order.
        source: where they come from.
        licence: their terms.
        version: of this format.
    """

    labels: LabelSpec
    channels: int
    names: tuple[str, ...]
    source: str = ""
    licence: str = ""
    version: int = VERSION

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if self.labels.num_channels > OUTSIDE:
            raise InputError(f"a memory bank tells {OUTSIDE} classes apart, the labels have {self.labels.num_channels}")
        if self.version != VERSION:
            raise InputError(f"a memory bank of version {self.version}, this pixelwise reads {VERSION}")


class Bank:
    """A memory bank, opened. Pictures stay in the file until they are looked at; copies share what is in memory.

    Args:
        path: the file, as ``write_bank`` makes it.

    Attributes:
        header: what it says of itself.
        classes: N uint8, the class of each segment.

    Raises:
        InputError: no such file, truncated, or made by something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise InputError(f"{path}: no such file; expected a memory bank, which `pixelwise memorise` makes")
        try:
            self._file = _open(path)
            self.header = _header(self._file.metadata() or {})
            arrays = {name: self._file.get_tensor(name) for name in _OF_SEGMENTS}
            _check_shapes(arrays)
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path}: not a complete memory bank ({path.stat().st_size} bytes): {error}") from error
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        self.classes = arrays["classes"]
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self.classes)

    def __deepcopy__(self, memo: object) -> Bank:
        return self

    def __reduce__(self) -> tuple[type[Bank], tuple[Path]]:
        return Bank, (self.path,)

    def reference(self) -> BankReference:
        """What a manifest says of it."""
        return BankReference.of(self.path, len(self), self.header.licence)

    def nearest(self, segment: Segment, count: int = 1, not_from: str | None = None) -> np.ndarray:
        """The most compatible segments of the same class, best first.

        Args:
            segment: the one to be replaced.
            count: at most so many; fewer where the bank has no more of the class.
            not_from: the name of a picture of which none is wanted.
        """
        first, behind = np.searchsorted(self.classes, (segment.label, segment.label + 1))
        likeness = compatibility(segment, self._arrays["shapes"][first:behind], self._arrays["contexts"][first:behind])
        if not_from in self._picture_of:
            likeness[self._arrays["pictures"][first:behind] == self._picture_of[not_from]] = -1
        best = np.argsort(-likeness, kind="stable")[:count]
        found: np.ndarray = first + best[likeness[best] >= 0]
        return found

    def look(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """A segment's box: its pixels h w C uint8, and h w bool, which of them are the segment's."""
        top, left, bottom, right = self._arrays["boxes"][index].tolist()
        colours, numbers = (
            self._file.get_slice(f"{kind}/{self._arrays['pictures'][index]}")[top:bottom, left:right]
            for kind in ("colours", "components")
        )
        mask: np.ndarray = numbers == self._arrays["numbers"][index]
        return colours, mask

    @cached_property
    def _picture_of(self) -> dict[str | None, int]:
        return {name: picture for picture, name in enumerate(self.header.names)}


def compatibility(segment: Segment, shapes: np.ndarray, contexts: np.ndarray) -> np.ndarray:
    """How well segments would stand in for one: the intersection over union of the shapes, plus that of the contexts.

    Of one-hot contexts, that is: where they agree in n of GRID² places, their union has 2 GRID² - n.

    Args:
        segment: the one.
        shapes: N GRID GRID bool.
        contexts: N GRID GRID uint8.

    Returns:
        N float64 in 0..2.
    """
    both, either = _count(shapes & segment.shape), _count(shapes | segment.shape)
    agreeing = _count(contexts == segment.context)
    likeness: np.ndarray = both / np.maximum(either, 1) + agreeing / (2 * GRID * GRID - agreeing)
    return likeness


def write_bank(path: Path, header: BankHeader, pictures: Iterable[tuple[np.ndarray, np.ndarray]]) -> int:
    """Cuts pictures into segments and writes the bank, all or nothing. All of it is in memory meanwhile, twice.

    Args:
        path: ends in .safetensors.
        header: with the names of the pictures.
        pictures: H W C uint8, and its class indices H W; in the order of the names.

    Returns:
        How many segments there are.

    Raises:
        InputError: another suffix, a picture that falls into too many segments, none at all, or the file cannot be
            written.
    """
    if path.suffix != ".safetensors":
        raise InputError(f"{path}: a memory bank's name ends in .safetensors")
    arrays: dict[str, np.ndarray] = {}
    found: list[tuple[int, Segment]] = []
    for picture, (colours, labels) in enumerate(pictures):
        numbers = components(labels)
        if numbers.max() >= _MAX_COMPONENTS:
            raise InputError(
                f"{header.names[picture]}: its label map falls into {numbers.max() + 1} parts, expected at most "
                f"{_MAX_COMPONENTS}"
            )
        arrays[f"colours/{picture}"] = colours
        arrays[f"components/{picture}"] = numbers.astype(np.uint16)
        found += [(picture, segment) for segment in cut(labels, numbers)]
    if not found:
        raise InputError("no segment of at least 16 pixels in any label map")
    content = save(arrays | _of_segments(found), {HEADER_KEY: json.dumps(asdict(header))})
    try:
        write_atomically(path, lambda beside: beside.write_bytes(content))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error})") from error
    return len(found)


def _open(path: Path) -> Any:
    return safe_open(path, framework="np")


def _of_segments(found: list[tuple[int, Segment]]) -> dict[str, np.ndarray]:
    found = sorted(found, key=lambda pair: pair[1].label)
    segments = [segment for _, segment in found]
    values = {
        "classes": [segment.label for segment in segments],
        "pictures": [picture for picture, _ in found],
        "numbers": [segment.number for segment in segments],
        "boxes": [segment.box for segment in segments],
        "shapes": [segment.shape for segment in segments],
        "contexts": [segment.context for segment in segments],
    }
    return {name: np.array(values[name], kind) for name, (kind, _) in _OF_SEGMENTS.items()}


def _header(metadata: dict[str, str]) -> BankHeader:
    if HEADER_KEY not in metadata:
        raise InputError("no memory bank; `pixelwise memorise` makes one of a training set")
    try:
        content = json.loads(metadata[HEADER_KEY])
        return from_fields(BankHeader, {**content, "labels": LabelSpec.from_json(content["labels"])})
    except (json.JSONDecodeError, RecursionError, KeyError, TypeError) as error:
        raise InputError(f"not the header of a memory bank: {error}") from error


def _check_shapes(arrays: dict[str, np.ndarray]) -> None:
    num_segments = len(arrays["classes"])
    for name, (kind, shape) in _OF_SEGMENTS.items():
        array = arrays[name]
        if array.dtype != kind or array.shape != (num_segments, *shape):
            raise InputError(f"{name} are {array.dtype} {array.shape}, expected {kind.__name__} {num_segments, *shape}")
    if (np.diff(arrays["classes"].astype(int)) < 0).any():
        raise InputError("its segments are not in the order of their classes")


def _count(found: np.ndarray) -> np.ndarray:
    """How many of the bools N GRID GRID are true, N."""
    counts: np.ndarray = found.sum(axis=(1, 2))
    return counts
