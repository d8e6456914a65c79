"""CamVid (Brostow et al., 2009) in the 11 classes of SegNet: label map to photo of a street."""

from __future__ import annotations

from pathlib import Path

from pixelwise.data.paired_folder import FolderSpec, PairedFolder, paired_folder
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


def camvid(root: Path, split: str) -> PairedFolder:
    """480x360 frames: 11 classes and void, ``<root>/<split>/{label,image}``; splits train, val, test."""
    return paired_folder(root, split, FolderSpec(labels=LABELS))
