"""Cityscapes (Cordts et al., 2016): label and instance map to photo of a street."""

from __future__ import annotations

from pathlib import Path

from pixelwise.data.layout import Folder, Layout
from pixelwise.data.paired_folder import PairedFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

# Where the data set gives several classes one colour, all but the first are a shade off: a spec's colours are distinct.
# fmt: off
_COLOUR_OF_CLASS = {
    "unlabeled": (0, 0, 0), "ego vehicle": (1, 0, 0), "rectification border": (0, 1, 0), "out of roi": (0, 0, 1),
    "static": (1, 1, 1), "dynamic": (111, 74, 0), "ground": (81, 0, 81), "road": (128, 64, 128),
    "sidewalk": (244, 35, 232), "parking": (250, 170, 160), "rail track": (230, 150, 140), "building": (70, 70, 70),
    "wall": (102, 102, 156), "fence": (190, 153, 153), "guard rail": (180, 165, 180), "bridge": (150, 100, 100),
    "tunnel": (150, 120, 90), "pole": (153, 153, 153), "polegroup": (154, 154, 154), "traffic light": (250, 170, 30),
    "traffic sign": (220, 220, 0), "vegetation": (107, 142, 35), "terrain": (152, 251, 152), "sky": (70, 130, 180),
    "person": (220, 20, 60), "rider": (255, 0, 0), "car": (0, 0, 142), "truck": (0, 0, 70), "bus": (0, 60, 100),
    "caravan": (0, 0, 90), "trailer": (0, 0, 110), "train": (0, 80, 100), "motorcycle": (0, 0, 230),
    "bicycle": (119, 11, 32), "license plate": (0, 0, 143),
}
# fmt: on

LABELS = LabelSpec(names=tuple(_COLOUR_OF_CLASS), colours=tuple(_COLOUR_OF_CLASS.values()))
"""35 classes, as SPADE and ASAP-Net count them: ids 0..33, and the licence plate.

The data set numbers the plate -1 and draws it into no label map; its channel, 34, is there for published weights.
"""

_TRAIN_NAMES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip

TRAIN_LABELS = LabelSpec(
    names=_TRAIN_NAMES, colours=(*(_COLOUR_OF_CLASS[name] for name in _TRAIN_NAMES), (0, 0, 0)), ignore_id=255
)
"""The 19 classes that are judged, in the order of the `_labelTrainIds` files: what segmenters find. 255 is the rest."""


def _layout(root: Path, split: str) -> Layout:
    maps = root / "gtFine" / split
    folders = {
        "label": Folder(maps, "_gtFine_labelIds.png"),
        "inst": Folder(maps, "_gtFine_instanceIds.png"),
        "image": Folder(root / "leftImg8bit" / split, "_leftImg8bit.png"),
    }
    return Layout(folders, labels=LABELS, images={"image": ImageSpec()})


cityscapes = StoredSet(_layout, PairedFolder, splits=("train", "val", "test"), signs=("leftImg8bit", "gtFine"))
"""2048x1024 as published: ``leftImg8bit/<split>/<city>/`` and ``gtFine/<split>/<city>/``.

Splits train, val and test, whose label maps say where nothing is to be predicted. The label maps are the ``_labelIds``
files, not the ``_labelTrainIds``.
"""
