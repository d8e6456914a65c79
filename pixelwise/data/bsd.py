"""Berkeley segmentation images (Martin et al., 2001; Arbelaez et al., 2011) under noise and blur: how restorers are
compared."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pixelwise.data.blur import GaussianBlur, MotionBlur
from pixelwise.data.degrade import Chain, Degrade, GaussianNoise
from pixelwise.data.degraded_folder import DegradedFolder
from pixelwise.data.layout import Folder, Layout
from pixelwise.data.stored_set import StoredSet
from pixelwise.images import ImageSpec

SIGMA_25 = GaussianNoise(25, 25)
BLIND = GaussianNoise(0, 55)
"""The noise that DnCNN-B is trained on."""
ANY_PHOTO = GaussianNoise(0, 55, grey_alike=True)
"""The same for pictures some of which are grey."""
OUT_OF_FOCUS = Chain((GaussianBlur(1.6, 1.6), GaussianNoise(2, 2)))
MOVED = Chain((MotionBlur(5, 15), GaussianNoise(2.55, 2.55)))
SHAKEN = Chain((MotionBlur(5, 20, highest_angle=360, shake=180), GaussianNoise(2.55, 2.55)))


def _gray(root: Path, split: str) -> Layout:
    folder = Folder(root / {"val": "set12", "test": "bsd68"}.get(split, split))
    return Layout({"image": folder}, images={"image": ImageSpec(channels=1)})


def _color(root: Path, split: str) -> Layout:
    folder = Folder(root / {"val": "cbsd68", "test": "cbsd68"}.get(split, split))
    return Layout({"image": folder}, images={"image": ImageSpec()})


def bsd_gray_under(degrade: Degrade) -> StoredSet:
    """Grey images, ``<root>/<split>/``; splits train (400 of 180x180), val or set12 (12), test or bsd68 (68)."""
    return StoredSet(_gray, partial(_open, degrade), splits=("train", "val", "test"))


def bsd_color_under(degrade: Degrade) -> StoredSet:
    """Colour images of 481x321 or 321x481, ``<root>/<split>/``; splits train, and val, test or cbsd68 (68)."""
    return StoredSet(_color, partial(_open, degrade), splits=("train", "val"))


def _open(degrade: Degrade, layout: Layout) -> DegradedFolder:
    return DegradedFolder(layout.folders["image"], layout.images["image"], degrade)


bsd_gray, bsd_gray_blind = bsd_gray_under(SIGMA_25), bsd_gray_under(BLIND)
bsd_color, bsd_color_blind = bsd_color_under(SIGMA_25), bsd_color_under(BLIND)
bsd_photo_blind = bsd_color_under(ANY_PHOTO)
bsd_gray_gaussian_blur, bsd_color_gaussian_blur = bsd_gray_under(OUT_OF_FOCUS), bsd_color_under(OUT_OF_FOCUS)
bsd_gray_motion, bsd_color_motion = bsd_gray_under(MOVED), bsd_color_under(MOVED)
bsd_gray_shake, bsd_color_shake = bsd_gray_under(SHAKEN), bsd_color_under(SHAKEN)
