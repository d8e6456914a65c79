from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_pairs import write_pairs
from torch import Tensor

from pixelwise import images
from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metrics.inception import REDUCTIONS
from pixelwise.models.dncnn import DnCnn, DnCnnConfig
from pixelwise.segmenters import Segmenter


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


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "pairs")


@pytest.fixture
def wise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmenter that reads the class of a pixel from its red: 0, 1, 2 of 255."""

    def named(text: str, spec: LabelSpec, device: str) -> Segmenter:
        def find(pictures: Tensor) -> Tensor:
            return ((pictures[:, 0] + 1) * 127.5).round().long().clamp(0, spec.num_classes - 1)

        return Segmenter(text, spec.num_classes, find, "0123456789abcdef", lambda pictures: pictures.mean(dim=(2, 3)))

    monkeypatch.setattr("pixelwise.evaluation.measures.segmenter_named", named)


@pytest.fixture
def inception(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that see of each colour the mean, or with the other way to reduce pictures its square."""

    class Seen(torch.nn.Module):
        def __init__(self, power: int) -> None:
            super().__init__()
            self.power = power

        def forward(self, pictures: Tensor) -> Tensor:
            return pictures.mean(dim=(2, 3)) ** self.power

    powers = dict(zip(REDUCTIONS.values(), (1, 2), strict=True))
    monkeypatch.setattr("pixelwise.metrics.inception.load_inception", lambda by, *_: Seen(powers[by]))
    monkeypatch.setattr("pixelwise.metrics.inception.NUM_FEATURES", 3)
