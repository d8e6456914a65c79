"""Aerial photos and maps (Isola et al., 2017, "Image-to-image translation with conditional adversarial networks")."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from pixelwise.data.layout import Folder, Layout
from pixelwise.data.side_by_side import SideBySide
from pixelwise.data.stored_set import StoredSet
from pixelwise.images import ImageSpec


def _layout(root: Path, split: str) -> Layout:
    folder = Folder.first(root / split / "ab", root / split)
    return Layout({"ab": folder}, "ab", images={"ab": ImageSpec()}, halves=True)


maps = StoredSet(_layout, SideBySide, splits=("train", "val"))
"""Photo to map, 600x600, in ``<root>/<split>/ab`` or ``<root>/<split>``; splits train, val."""

maps_to_photo = replace(maps, open=partial(SideBySide, target_right=False))
"""Map to photo, from the same files as ``maps``."""
