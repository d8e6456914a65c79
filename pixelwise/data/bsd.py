"""Berkeley segmentation images (Martin et al., 2001; Arbelaez et al., 2011) under noise, as denoisers are compared."""

from __future__ import annotations

from pathlib import Path

from pixelwise.data.degrade import Degrade, GaussianNoise
from pixelwise.data.noisy_folder import NoisyFolder
from pixelwise.data.paired_folder import Folder
from pixelwise.images import ImageSpec

SIGMA_25 = GaussianNoise(25, 25)
BLIND = GaussianNoise(0, 55)
"""The noise that DnCNN-B is trained on."""


def bsd_gray(root: Path, split: str, *, degrade: Degrade = SIGMA_25) -> NoisyFolder:
    """Grey images, ``<root>/<split>/``; splits train (400 of 180x180), val or set12 (12), test or bsd68 (68)."""
    folder = Folder(Path(root) / {"val": "set12", "test": "bsd68"}.get(split, split))
    return NoisyFolder(folder, ImageSpec(channels=1), degrade)


def bsd_color(root: Path, split: str, *, degrade: Degrade = SIGMA_25) -> NoisyFolder:
    """Colour images of 481x321 or 321x481, ``<root>/<split>/``; splits train, and val, test or cbsd68 (68)."""
    folder = Folder(Path(root) / {"val": "cbsd68", "test": "cbsd68"}.get(split, split))
    return NoisyFolder(folder, ImageSpec(), degrade)
