"""NYU Depth V2 (Silberman et al., 2012): rooms, their depth and their classes."""

from __future__ import annotations

from functools import partial

from pixelwise.data.paired_folder import FolderSpec, PairedFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

DEPTH = ImageSpec(channels=1, dtype="uint16", white=10_000, unit="mm")
"""Up to the sensor's 10 m."""

WHITE_FRAME = 8
"""Pixels on every side: the photos' white frame of about 7."""

_NAMES = """
wall, floor, cabinet, bed, chair, sofa, table, door, window, bookshelf, picture, counter, blinds, desk, shelves,
curtain, dresser, pillow, mirror, floor mat, clothes, ceiling, books, refrigerator, television, paper, towel,
shower curtain, box, whiteboard, person, night stand, toilet, sink, lamp, bathtub, bag, otherstructure, otherfurniture
"""
LABELS = LabelSpec(names=tuple(name.strip() for name in _NAMES.split(",")), ignore_id=39)
"""The first 39 of the 40 classes; the 40th, otherprop, shares its id with pixels that nobody annotated."""


PHOTO_TO_DEPTH = FolderSpec(condition=("image",), target="depth", images={"depth": DEPTH})
LABELS_TO_PHOTO = FolderSpec(labels=LABELS)

nyu_depth = StoredSet(partial(PHOTO_TO_DEPTH.layout, frame=WHITE_FRAME), PairedFolder)
"""Photo to depth, 624x464 without the frame, ``<root>/<split>/{image,depth}``; splits train, val."""

nyu_photo = StoredSet(partial(LABELS_TO_PHOTO.layout, frame=WHITE_FRAME), PairedFolder)
"""Label map to photo, 624x464 without the frame, ``<root>/<split>/{label,image}``; splits train, val."""
