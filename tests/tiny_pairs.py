"""Small label maps and photos, in mirrored folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tiny_model import LABELS

from pixelwise import images
from pixelwise.data.paired_folder import FolderSpec


def draw(path: Path, size: tuple[int, int] = (8, 8)) -> Path:
    """Writes a label map of ``LABELS``; returns the path."""
    images.write_labels(path, np.random.default_rng(0).integers(0, LABELS.num_channels, size), LABELS)
    return path


def write_pairs(folder: Path) -> Path:
    """Four pairs of 16x16 in ``train`` and in ``val``, with their ``spec.json``; returns the folder."""
    for split in ("train", "val"):
        for index in range(4):
            draw(folder / split / "label" / f"{index}.png", (16, 16))
            images.write(folder / split / "image" / f"{index}.png", np.full((16, 16, 3), 60 * index, np.uint8))
    (folder / "spec.json").write_text(json.dumps(FolderSpec(labels=LABELS).to_json()))
    return folder
