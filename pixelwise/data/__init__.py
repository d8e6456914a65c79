"""Data sets by name: the table of contents. Each opens as ``DATASETS[name](root, split)``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from pixelwise.data.ade20k import ade20k
from pixelwise.data.bsd import BLIND, bsd_color, bsd_gray
from pixelwise.data.camvid import camvid
from pixelwise.data.cityscapes import cityscapes
from pixelwise.data.coco_stuff import coco_stuff
from pixelwise.data.facades import facades, facades_cmp
from pixelwise.data.maps import maps, maps_to_photo
from pixelwise.data.nyu_depth import nyu_depth, nyu_photo
from pixelwise.data.paired_data import DatasetFactory
from pixelwise.data.paired_folder import paired_folder

DATASETS: Mapping[str, DatasetFactory] = {
    "paired_folder": paired_folder,
    "facades": facades,
    "facades_cmp": facades_cmp,
    "camvid": camvid,
    "cityscapes": cityscapes,
    "ade20k": ade20k,
    "coco_stuff": coco_stuff,
    "maps": maps,
    "maps_to_photo": maps_to_photo,
    "nyu_depth": nyu_depth,
    "nyu_photo": nyu_photo,
    "bsd_gray": bsd_gray,
    "bsd_gray_blind": partial(bsd_gray, degrade=BLIND),
    "bsd_color": bsd_color,
    "bsd_color_blind": partial(bsd_color, degrade=BLIND),
}
