"""Berkeley segmentation images (Martin et al., 2001; Arbelaez et al., 2011) under noise, as denoisers are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pixelwise.data.degrade import Degrade, GaussianNoise
from pixelwise.data.layout import Folder, Layout
from pixelwise.data.noisy_folder import NoisyFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.images import ImageSpec

SIGMA_25 = GaussianNoise(25, 25)
BLIND = GaussianNoise(0, 55)
"""The noise that DnCNN-B is trained on."""


def _gray(root: Path, split: str) -> Layout:
    folder = Folder(root / {"val": "set12", "test": "bsd68"}.get(split, split))
    return Layout({"image": folder}, images={"image": ImageSpec(channels=1)})


def _color(root: Path, split: str) -> Layout:
    folder = Folder(root / {"val": "cbsd68", "test": "cbsd68"}.get(split, split))
    return Layout({"image": folder}, images={"image": ImageSpec()})


def _under(degrade: Degrade) -> Callable[[Layout], NoisyFolder]:
    return lambda layout: NoisyFolder(layout.folders["image"], layout.images["image"], degrade)


bsd_gray = StoredSet(_gray, _under(SIGMA_25), splits=("train", "val", "test"))
"""Grey images, ``<root>/<split>/``; splits train (400 of 180x180), val or set12 (12), test or bsd68 (68)."""

bsd_gray_blind = replace(bsd_gray, open=_under(BLIND))

bsd_color = StoredSet(_color, _under(SIGMA_25), splits=("train", "val"))
"""Colour images of 481x321 or 321x481, ``<root>/<split>/``; splits train, and val, test or cbsd68 (68)."""

bsd_color_blind = replace(bsd_color, open=_under(BLIND))
