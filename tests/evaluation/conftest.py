from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise import images
from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.images import ImageSpec
from pixelwise.models.dncnn import DnCnn, DnCnnConfig


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three grey pictures of 40 x 60, a, b and c, where Set12 would be."""
    random = np.random.default_rng(0)
    for name in "abc":
        images.write(tmp_path / "data" / "set12" / f"{name}.png", random.integers(60, 196, (40, 60, 1), np.uint8))
    return tmp_path / "data"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A denoiser that finds no noise."""
    config = DnCnnConfig(image_channels=1, out_channels=1, width=2, depth=3)
    generator = DnCnn(config)
    torch.nn.init.zeros_(generator.last.weight)
    grey = ImageSpec(channels=1)
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, generator, manifest_for(config, ConditionSpec(image_channels=1), image=grey, target=grey))
    return path
