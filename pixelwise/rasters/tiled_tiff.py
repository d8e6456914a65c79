"""The TIFF container: tiles in any order, then the directories that say where they lie.

tifffile writes one picture after the other; the levels of a pyramid are complete all at the end. TIFF itself lets tiles
lie anywhere, so that a pyramid is written in one go, with nothing put aside.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO

Field = tuple[str, Sequence[int]]
"""Values of a tag with their type: B, H, I or Q, for bytes, 16, 32 or 64 bits; or A for the bytes of a text."""

_TYPES = {"A": 2, "B": 7, "H": 3, "I": 4, "Q": 16}


@dataclass(frozen=True)
class _Container:
    """One of the two forms of TIFF.

    Attributes:
        signature: what stands ahead of the first directory's place.
        num_entries: type of a directory's length, as in ``Field``.
        place: type of places in the file, and of the lengths of fields.
    """

    signature: bytes
    num_entries: str
    place: str


_CLASSIC = _Container(b"II*\0", "H", "I")
_BIG = _Container(b"II+\0\x08\0\0\0", "Q", "Q")


class TiledTiff:
    """A TIFF or BigTIFF file in the making, little-endian.

    Args:
        file: empty, open for writing without a buffer: what a full disk refuses must not be tried again at closing.
        big: whether it may grow beyond 4 GB.
    """

    def __init__(self, file: FileIO, big: bool) -> None:
        self._file = file
        self._container = _BIG if big else _CLASSIC
        self.append(self._container.signature + self._pack(self._container.place, [0]))

    @property
    def place_type(self) -> str:
        """The type of fields that hold places in the file."""
        return self._container.place

    def append(self, content: bytes) -> int:
        """Writes some bytes, and returns their place in the file."""
        place = self._file.tell()
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]
        return place

    def finish(self, directories: Sequence[dict[int, Field]]) -> None:
        """Writes a directory for each picture: its fields by their tags."""
        packed = [self._entries(fields) for fields in directories]
        place = self.aligned()
        self._file.seek(len(self._container.signature))
        self.append(self._pack(self._container.place, [place]))
        self._file.seek(place)
        for number, entries in enumerate(packed, 1):
            content = self._pack(self._container.num_entries, [len(entries)]) + b"".join(entries)
            place += len(content) + struct.calcsize(f"<{self._container.place}")
            self.append(content + self._pack(self._container.place, [place if number < len(packed) else 0]))

    def _entries(self, fields: dict[int, Field]) -> list[bytes]:
        entries = []
        for tag, (kind, values) in sorted(fields.items()):
            content = self._pack(kind, values)
            room = struct.calcsize(f"<{self._container.place}")
            if len(content) > room:
                self.aligned()
                content = self._pack(self._container.place, [self.append(content)])
            head = struct.pack("<HH", tag, _TYPES[kind]) + self._pack(self._container.place, [len(values)])
            entries.append(head + content.ljust(room, b"\0"))
        return entries

    def aligned(self) -> int:
        """The place of what will be appended next, a multiple of 8."""
        self.append(bytes(-self._file.tell() % 8))
        return self._file.tell()

    @staticmethod
    def _pack(kind: str, values: Sequence[int]) -> bytes:
        return bytes(values) if kind in "AB" else struct.pack(f"<{len(values)}{kind}", *values)
