"""Which files a protocol was recorded with: their SHA-256, in a list for each set (``recorded/``).

Names tell one set from another, but not a copy of it that was encoded anew, or anything else under the same names.
Bytes are compared and not pixels: decoders of JPEG may differ by a grey level, a file is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pixelwise.data.layout import Layout
from pixelwise.digest import sha256_of

_LISTS = Path(__file__).parent / "recorded"
_BETWEEN = "  "
"""A digest and a file, as ``sha256sum`` writes them."""


def list_path(name: str) -> Path:
    """Where the list of that name lies."""
    return _LISTS / f"{name}.sha256"


def recorded(name: str) -> dict[str, str]:
    """A list: SHA-256 by kind and name, such as ``label/0016E5_07959``; names alone, since copies are laid out
    differently."""
    lines = list_path(name).read_text(encoding="utf-8").splitlines()
    return {file: sha256 for sha256, _, file in (line.partition(_BETWEEN) for line in lines)}


def list_text(digests: Mapping[str, str]) -> str:
    """What ``recorded`` reads."""
    return "".join(f"{digests[file]}{_BETWEEN}{file}\n" for file in sorted(digests))


def found(layout: Layout) -> dict[str, str]:
    """SHA-256 of the files of a split, by kind and name. Raises InputError for a folder that is not there."""
    return {
        f"{kind}/{name}": sha256_of(path)
        for kind, folder in layout.folders.items()
        for name, path in folder.files().items()
    }
