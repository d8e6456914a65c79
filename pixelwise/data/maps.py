"""Aerial photos and maps (Isola et al., 2017, "Image-to-image translation with conditional adversarial networks")."""

from __future__ import annotations

from pathlib import Path

from pixelwise.data.paired_folder import Folder
from pixelwise.data.side_by_side import SideBySide
from pixelwise.images import ImageSpec


def maps(root: Path, split: str) -> SideBySide:
    """Photo to map, 600x600, in ``<root>/<split>/ab`` or ``<root>/<split>``; splits train, val."""
    return SideBySide(_folder(root, split), ImageSpec())


def maps_to_photo(root: Path, split: str) -> SideBySide:
    """Map to photo, from the same files as ``maps``."""
    return SideBySide(_folder(root, split), ImageSpec(), target_right=False)


def _folder(root: Path, split: str) -> Folder:
    nested = Path(root) / split / "ab"
    return Folder(nested if nested.is_dir() else nested.parent)
