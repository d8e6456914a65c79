"""CMP Facades (Tyleček and Šára, 2013): label map to photo of a house front."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pixelwise.data.layout import Folder, Layout
from pixelwise.data.paired_folder import FolderSpec, PairedFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.labels import LabelSpec

# fmt: off
CMP_LABELS = LabelSpec(
    names=(
        "background", "facade", "window", "door", "cornice", "sill", "balcony", "blind", "deco", "molding", "pillar",
        "shop",
    ),
    ids=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    colours=(
        (0, 0, 170), (0, 0, 255), (0, 85, 255), (0, 170, 255), (0, 255, 255), (85, 255, 170), (170, 255, 85),
        (255, 255, 0), (255, 170, 0), (255, 85, 0), (255, 0, 0), (170, 0, 0),
    ),
)
MINI_LABELS = LabelSpec(
    names=("others", "facade", "pillar", "window", "balcony"),
    colours=((24, 28, 60), (150, 200, 230), (250, 160, 20), (30, 70, 200), (230, 60, 60)),
)
# fmt: on


MIRRORED_CMP = FolderSpec(labels=CMP_LABELS)
PUBLISHED = {"base": "base", "extended": "extended", "train": "base", "val": "extended"}
"""CMP's own folders, by the names of splits."""


def _layout(root: Path, split: str) -> Layout:
    mirrored = MIRRORED_CMP.layout(root, split)
    if mirrored.is_there or split not in PUBLISHED or not (published := root / PUBLISHED[split]).is_dir():
        return mirrored
    return replace(mirrored, folders={"label": Folder(published, ".png"), "image": Folder(published, ".jpg")})


facades = StoredSet(FolderSpec(labels=MINI_LABELS).layout, PairedFolder)
"""256x256 crops in 5 classes, ``<root>/<split>/{label,image}``; splits train, val."""

facades_labels = StoredSet(FolderSpec(("image",), "label", MINI_LABELS).layout, PairedFolder)
"""Photo to label map, from the same files as ``facades``."""

facades_cmp = StoredSet(
    _layout, PairedFolder, splits=("base", "extended"), signs=("base/cmp_b0001.jpg", "base/cmp_b0001.png")
)
"""Whole photos in 12 classes, ``<root>/<split>/{label,image}``, or ``base`` and ``extended`` as CMP publishes them.

There a photo ``cmp_b0001.jpg`` and its label map ``cmp_b0001.png`` lie side by side.
Splits base (or train) and extended (or val).
"""
