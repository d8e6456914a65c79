"""Runs that are small enough for tests, in a module that other processes can import."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pixelwise import images
from pixelwise.data.degraded_folder import DegradedFolder
from pixelwise.data.layout import Folder
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.images import ImageSpec
from pixelwise.losses.objective import Objective
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

SIDE = 32
NUM_TRAIN, NUM_VALIDATION = 5, 3
WHITE = "2"

MODEL = AsapNetConfig(cell=8, width=8, learned_reduction=8, max_width=16, num_blocks=1, mlp_width=8, mlp_depth=3)
WITH_ADVERSARY = Objective(feature_matching=1.0, perceptual=0.0, l1=1.0)
WITHOUT_ADVERSARY = Objective(adversarial=None, perceptual=0.0, l1=1.0)


def write_data(folder: Path) -> None:
    """Label maps and noise as photos; one photo of the training split is white."""
    random = np.random.default_rng(0)
    for split, count in (("train", NUM_TRAIN), ("val", NUM_VALIDATION)):
        for index in range(count):
            labels = random.integers(0, 5, (SIDE // 8, SIDE // 8), np.uint8).repeat(8, 0).repeat(8, 1)
            photo = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
            photo = np.full_like(photo, 255) if (split, str(index)) == ("train", WHITE) else photo
            images.write(folder / split / "label" / f"{index}.png", labels)
            images.write(folder / split / "image" / f"{index}.png", photo)


def tiny_config(data: Path, out: Path, **changes: Any) -> TrainConfig:
    config = TrainConfig(
        model=MODEL,
        dataset="facades",
        data=str(data),
        out=str(out),
        objective=WITH_ADVERSARY,
        discriminator=PatchDiscriminatorConfig(num_layers=2, width=4, max_width=8),
        crop=(24, 24),
        batch_size=2,
        steps=6,
        constant_steps=3,
        save_every=2,
        sheet_every=3,
        validate_every=3,
        device="cpu",
    )
    return replace(config, **changes)


class Poison:
    """Degrades nothing, but puts NaN into the white photo."""

    reach = 0

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        return torch.where(image.mean() > 0.9, torch.nan, image)


def poisoned(root: Path, split: str) -> DegradedFolder:
    """Photos to be found again; the white one is given with NaN in it."""
    return DegradedFolder(Folder(root / split / "image"), ImageSpec(), Poison())
