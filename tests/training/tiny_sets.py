"""Sets of pictures of 64 x 64: the least that every family can learn from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.labels import LabelSpec

SIDE = 64
LABELS = LabelSpec(("a", "b", "c"))


def write_sets(root: Path) -> Path:
    """``labels``, with instance maps, and ``pictures``; returns the folder."""
    random = np.random.default_rng(0)
    specs = {"labels": FolderSpec(("label", "inst"), labels=LABELS), "pictures": FolderSpec(("photo",))}
    for name, spec in specs.items():
        for split, count in (("train", 2), ("val", 1)):
            for index in range(count):
                for kind in (*spec.condition, spec.target):
                    images.write(root / name / split / kind / f"{index}.png", _drawn(kind, random))
        (root / name / "spec.json").write_text(json.dumps(spec.to_json()))
    return root


def _drawn(kind: str, random: np.random.Generator) -> np.ndarray:
    if kind in ("label", "inst"):
        cells = random.permutation(np.arange(16, dtype=np.uint8) % LABELS.num_classes).reshape(4, 4)
        return cells.repeat(SIDE // 4, 0).repeat(SIDE // 4, 1)
    return random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
