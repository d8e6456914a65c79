"""Data sets by name: the table of contents. Each opens as ``DATASETS[name](root, split)``."""

from __future__ import annotations

from collections.abc import Mapping

from pixelwise.data.ade20k import ade20k
from pixelwise.data.bsd import (
    bsd_color,
    bsd_color_blind,
    bsd_color_gaussian_blur,
    bsd_color_motion,
    bsd_color_shake,
    bsd_gray,
    bsd_gray_blind,
    bsd_gray_gaussian_blur,
    bsd_gray_motion,
    bsd_gray_shake,
    bsd_photo_blind,
)
from pixelwise.data.camvid import camvid, camvid_labels
from pixelwise.data.cityscapes import cityscapes
from pixelwise.data.coco_stuff import coco_stuff
from pixelwise.data.facades import facades, facades_cmp, facades_labels
from pixelwise.data.maps import maps, maps_to_photo
from pixelwise.data.nyu_depth import nyu_depth, nyu_depth_to_photo, nyu_photo
from pixelwise.data.paired_folder import paired_folder
from pixelwise.data.stored_set import StoredSet
from pixelwise.errors import InputError

DATASETS: Mapping[str, StoredSet] = {
    "paired_folder": paired_folder,
    "facades": facades,
    "facades_labels": facades_labels,
    "facades_cmp": facades_cmp,
    "camvid": camvid,
    "camvid_labels": camvid_labels,
    "cityscapes": cityscapes,
    "ade20k": ade20k,
    "coco_stuff": coco_stuff,
    "maps": maps,
    "maps_to_photo": maps_to_photo,
    "nyu_depth": nyu_depth,
    "nyu_depth_to_photo": nyu_depth_to_photo,
    "nyu_photo": nyu_photo,
    "bsd_gray": bsd_gray,
    "bsd_gray_blind": bsd_gray_blind,
    "bsd_gray_gaussian_blur": bsd_gray_gaussian_blur,
    "bsd_gray_motion": bsd_gray_motion,
    "bsd_gray_shake": bsd_gray_shake,
    "bsd_color": bsd_color,
    "bsd_color_blind": bsd_color_blind,
    "bsd_photo_blind": bsd_photo_blind,
    "bsd_color_gaussian_blur": bsd_color_gaussian_blur,
    "bsd_color_motion": bsd_color_motion,
    "bsd_color_shake": bsd_color_shake,
}


def dataset_named(name: str) -> StoredSet:
    """Raises InputError with the names that exist."""
    if name not in DATASETS:
        raise InputError(f"no data set {name!r}; there are {', '.join(DATASETS)}")
    return DATASETS[name]
