"""CamVid (Brostow et al., 2009) in the 11 classes of SegNet: label map to photo of a street."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from pixelwise.data.layout import Folder, Layout
from pixelwise.data.paired_folder import FolderSpec, PairedFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.labels import LabelSpec

# fmt: off
LABELS = LabelSpec(
    names=(
        "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
    ),
    colours=(
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (0, 0, 192), (128, 128, 0), (192, 128, 128),
        (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192), (0, 0, 0),
    ),
    ignore_id=11,
)
# fmt: on


MIRRORED = FolderSpec(labels=LABELS)
PHOTO_TO_LABELS = FolderSpec(condition=("image",), target="label", labels=LABELS)


def _layout(spec: FolderSpec, root: Path, split: str) -> Layout:
    mirrored = spec.layout(root, split)
    if mirrored.is_there:
        return mirrored
    return replace(mirrored, folders={"label": Folder(root / f"{split}annot"), "image": Folder(root / split)})


camvid = StoredSet(
    partial(_layout, MIRRORED), PairedFolder, splits=("train", "val", "test"), signs=("trainannot", "valannot")
)
"""480x360 frames: 11 classes and void, mirrored or as SegNet lays them out (``train/…``, ``trainannot/…``).

Splits train, val, test.
"""

camvid_labels = replace(camvid, layout=partial(_layout, PHOTO_TO_LABELS), signs=())
"""Photo to label map, from the same files as ``camvid``."""
