"""Label maps: which ids and colours stand for which class, and what networks read instead of them.

Three numberings meet here. *File ids* are what a label PNG stores (Cityscapes has 34 of them, ADE20k starts at 1, CMP
Facades too). *Class indices* 0 … num_classes - 1 are what the rest of pixelwise calls labels. *Colours* are for people.
Pixels that nobody annotated ("don't care", "void") get the index ``num_classes``, whatever their id in the file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError, listed
from pixelwise.fields import from_fields

Colour = tuple[int, int, int]

MAX_FILE_ID = 65535

INDEX_TYPES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
"""Of tensors of class indices: the integers that torch reckons with."""

MOST_IN_BYTES = 256
"""Classes whose indices bytes hold."""


@dataclass(frozen=True)
class LabelSpec:
    """The classes of a label map.

    Attributes:
        names: one name per class, in the order of the class indices.
        colours: one (red, green, blue) in 0..255 per channel, see ``num_channels``; distinct. Empty: a default palette.
        ignore_id: the file id of pixels without annotation (void, don't care), or None when every pixel has a class.
        ids: the file id of each class; empty when they are 0, 1, 2, … .
    """

    names: tuple[str, ...]
    colours: tuple[Colour, ...] = ()
    ignore_id: int | None = None
    ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        # JSON gives lists: one form only, so that specs compare and hash.
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "ids", tuple(self.ids) or tuple(range(len(self.names))))
        colours = tuple(_colour(colour) for colour in self.colours) or default_palette(self.num_channels)
        object.__setattr__(self, "colours", colours)
        if not self.names:
            raise InputError("a LabelSpec needs at least one class name")
        if len(self.ids) != len(self.names):
            raise InputError(f"{len(self.names)} class names but {len(self.ids)} ids")
        if len(set(self.ids)) != len(self.ids) or self.ignore_id in self.ids:
            raise InputError(
                f"ids must be distinct, and ignore_id none of them: ids {self.ids}, ignore {self.ignore_id}"
            )
        if not all(0 <= file_id <= MAX_FILE_ID for file_id in (*self.ids, self.ignore_id or 0)):
            raise InputError(f"ids must lie in 0..{MAX_FILE_ID}: {self.ids}, ignore {self.ignore_id}")
        if len(colours) != self.num_channels or len(set(colours)) != len(colours):
            raise InputError(
                f"expected {self.num_channels} distinct colours, got {len(set(colours))} of {len(colours)}"
            )

    @property
    def num_classes(self) -> int:
        return len(self.names)

    @property
    def num_channels(self) -> int:
        """Channels of the one-hot form: the classes, and one more for don't-care pixels where the spec has them."""
        return self.num_classes + (self.ignore_id is not None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> LabelSpec:
        """The inverse of ``to_json``. Raises InputError for unknown, missing or unfit fields."""
        try:
            return from_fields(cls, fields)
        except InputError as error:
            raise InputError(f"not a label spec: {error}") from error

    @cached_property
    def _index_of_id(self) -> np.ndarray:
        table = np.full(MAX_FILE_ID + 1, -1, np.int32)
        table[list(self.ids)] = np.arange(self.num_classes)
        if self.ignore_id is not None:
            table[self.ignore_id] = self.num_classes
        return table

    def index(self, file_ids: np.ndarray, source: str | Path = "label map") -> np.ndarray:
        """File ids to class indices.

        Args:
            file_ids: H W integers.
            source: named in the error.

        Returns:
            H W int32 in 0..num_channels - 1.

        Raises:
            InputError: ids that the spec does not know, each with its number of pixels.
        """
        indices: np.ndarray = self._index_of_id.take(file_ids, mode="clip")
        indices[(file_ids < 0) | (file_ids > MAX_FILE_ID)] = -1
        if (indices < 0).any():
            unknown, counts = np.unique(file_ids[indices < 0], return_counts=True)
            raise InputError(
                f"{source}: {_counted('id', unknown.tolist(), counts)} not in the label spec ({self._range()})"
            )
        return indices

    def file_ids(self, labels: np.ndarray) -> np.ndarray:
        """Class indices H W back to file ids, uint8 where they fit and uint16 otherwise; the inverse of ``index``."""
        table = np.array([*self.ids, *([] if self.ignore_id is None else [self.ignore_id])])
        ids: np.ndarray = table.astype(np.uint8 if table.max() < 256 else np.uint16)[labels]
        return ids

    def index_colours(self, rgb: np.ndarray, source: str | Path = "label map") -> np.ndarray:
        """A map in the spec's colours to class indices.

        Args:
            rgb: H W 3 uint8.
            source: named in the error.

        Returns:
            H W int32 in 0..num_channels - 1.

        Raises:
            InputError: colours that the spec does not know, each with its number of pixels.
        """
        packed = _pack(rgb.astype(np.int32))
        known = _pack(np.array(self.colours, np.int32))
        order = np.argsort(known)
        place = np.searchsorted(known[order], packed).clip(max=len(known) - 1)
        indices: np.ndarray = order[place].astype(np.int32)
        wrong = known[indices] != packed
        if wrong.any():
            unknown, counts = np.unique(packed[wrong], return_counts=True)
            names = [f"#{value:06x}" for value in unknown.tolist()]
            raise InputError(f"{source}: {_counted('colour', names, counts)} not among the spec's {len(known)} colours")
        return indices

    def colourise(self, labels: np.ndarray) -> np.ndarray:
        """Class indices H W to colours H W 3 uint8, for people."""
        rgb: np.ndarray = np.array(self.colours, np.uint8)[labels]
        return rgb

    def _range(self) -> str:
        ignored = "" if self.ignore_id is None else f", {self.ignore_id} is don't care"
        return f"{self.num_classes} classes with ids {min(self.ids)}..{max(self.ids)}{ignored}"


def check_indices(labels: Tensor) -> None:
    """Raises InputError for what is no index."""
    if labels.dtype not in INDEX_TYPES:
        raise InputError(f"labels are {labels.dtype}, expected class indices: {', '.join(map(str, INDEX_TYPES))}")


def check_range(labels: Tensor, num_channels: int) -> None:
    """Raises InputError for an index outside 0..num_channels - 1, or for what is no index."""
    check_indices(labels)
    if labels.is_meta:  # without values, there to count arithmetic
        return
    low, high = (int(value) for value in torch.aminmax(labels))
    if low < 0 or high >= num_channels:
        raise InputError(f"labels run from {low} to {high}, expected 0..{num_channels - 1}")


def as_bytes(labels: Tensor, num_channels: int) -> Tensor:
    """The same class indices as uint8, of which a picture's fit into caches; as they are where there may be more than
    256 classes.

    Raises:
        InputError: an index outside 0..num_channels - 1.
    """
    check_range(labels, num_channels)
    return labels.to(torch.uint8) if num_channels <= MOST_IN_BYTES else labels


def one_hot(labels: Tensor, num_channels: int) -> Tensor:
    """Class indices B H W to planes B num_channels H W of 0.0 and 1.0 (float32), on the labels' device.

    Raises:
        InputError: an index outside 0..num_channels - 1 (checked before the device would abort on it).
    """
    check_range(labels, num_channels)
    return F.one_hot(labels.long(), num_channels).movedim(-1, 1).float()


def occurring(labels: Tensor, num_channels: int) -> Tensor:
    """Which of ``num_channels`` class indices there are in a map: one bool each, on the CPU.

    Raises:
        InputError: an index outside 0..num_channels - 1.
    """
    check_range(labels, num_channels)
    return (torch.bincount(labels.flatten(), minlength=num_channels) > 0).cpu()


def instance_edges(instances: Tensor) -> Tensor:
    """Borders between instances: 1.0 where the id differs from a 4-neighbour, so both sides are marked.

    Args:
        instances: B H W, any integers.

    Returns:
        B 1 H W float32. The image's own border is no edge.
    """
    edges = torch.zeros_like(instances, dtype=torch.bool)
    across = instances[:, :, 1:] != instances[:, :, :-1]
    down = instances[:, 1:, :] != instances[:, :-1, :]
    edges[:, :, 1:] |= across
    edges[:, :, :-1] |= across
    edges[:, 1:, :] |= down
    edges[:, :-1, :] |= down
    return edges[:, None].float()


def default_palette(num_colours: int) -> tuple[Colour, ...]:
    """Distinct colours, neighbours far apart: the bits of the index dealt out to red, green, blue (as Pascal VOC)."""

    def colour(index: int) -> Colour:
        channels = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                channels[channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
        return channels[0], channels[1], channels[2]

    return tuple(colour(index) for index in range(num_colours))


def _colour(values: Any) -> Colour:
    if len(values) != 3 or not all(isinstance(value, int) and 0 <= value <= 255 for value in values):
        raise InputError(f"a colour is three integers in 0..255, got {values!r}")
    red, green, blue = values
    return red, green, blue


def _pack(rgb: np.ndarray) -> np.ndarray:
    packed: np.ndarray = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
    return packed


def _counted(noun: str, values: list[Any], counts: np.ndarray) -> str:
    texts = [f"{value} ({count} pixels)" for value, count in zip(values, counts, strict=True)]
    return f"{noun}{'s' if len(values) > 1 else ''} {listed(texts)}"
