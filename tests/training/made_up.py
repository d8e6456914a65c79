"""Every data set by name, in its own layout, with pictures that are drawn by chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.data import DATASETS
from pixelwise.data.layout import INSTANCE_KINDS, LABEL_KINDS, Layout

SIDE = 64
CELL = 16


def write_made_up(name: str, root: Path) -> Path:
    """Four samples to learn from and one to validate on, each 64 x 64 or such a pair; returns the folder."""
    random = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 1)):
        layout = DATASETS[name].layout(root, split)
        for index in range(count):
            for kind, folder in layout.folders.items():
                images.write(folder.path / f"{index}{folder.ending or '.png'}", _drawn(kind, layout, random))
    return root


def _drawn(kind: str, layout: Layout, random: np.random.Generator) -> np.ndarray:
    side = SIDE + 2 * layout.frame
    height, width = side, side * (2 if layout.halves else 1)
    if kind in (*LABEL_KINDS, *INSTANCE_KINDS):
        ids = np.array([0, 1, 2, 3]) if layout.labels is None or kind in INSTANCE_KINDS else layout.labels.ids
        cells = random.choice(np.array(ids, np.uint8), (-(-height // CELL), -(-width // CELL)))
        return cells.repeat(CELL, 0).repeat(CELL, 1)[:height, :width]
    spec = layout.images[kind]
    return random.integers(0, int(spec.white) + 1, (height, width, spec.channels)).astype(spec.dtype)
