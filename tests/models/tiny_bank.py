"""A memory bank that is small enough for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelwise.labels import LabelSpec
from pixelwise.models.sims_bank import Bank, BankHeader, write_bank

LABELS = LabelSpec(("a", "b", "c"), ignore_id=255)
SIZE = (40, 60)


def layout(top: int = 8, left: int = 10, height: int = 12, width: int = 20) -> np.ndarray:
    """A block of class 1, with a notch, on class 0; below it a band of class 2."""
    labels = np.zeros(SIZE, np.int32)
    labels[34:] = 2
    labels[top : top + height, left : left + width] = 1
    labels[top : top + height // 4, left : left + width // 4] = 0
    return labels


def photo(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)


LAYOUTS = (layout(), layout(top=4, left=30, height=24, width=10), layout(top=20, left=4, height=6, width=40))
PHOTOS = tuple(photo(seed) for seed in range(len(LAYOUTS)))
NAMES = ("first", "second", "third")


def write_tiny_bank(path: Path, labels: LabelSpec = LABELS) -> Path:
    """Writes a bank of the pictures above; returns the path."""
    write_bank(path, BankHeader(labels, 3, NAMES, "source", "terms"), zip(PHOTOS, LAYOUTS, strict=True))
    return path


def tiny_bank(path: Path) -> Bank:
    return Bank(write_tiny_bank(path))
