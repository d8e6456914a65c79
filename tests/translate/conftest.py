from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image
from random_photos import pixels
from session_scene import Make
from tiny_model import INSTANCE_MODEL, save_tiny_denoiser, save_tiny_model
from torch import nn

from pixelwise.checkpoint import load_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.translate import Translator, load


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Translators of a model whose edits reach 10 pixels: of 13 x 10 cells the nearest seven in a row at most."""

    def translator(spec: ConditionSpec = INSTANCE_MODEL, *, engine: str = "auto", **config: Any) -> Translator:
        fields = {"learned_reduction": 2, "edges_in_mlp": spec.instances, "norm": "batch", **config}
        checkpoint = load_checkpoint(save_tiny_model(tmp_path / "model.safetensors", spec, **fields))
        for module in checkpoint.generator.modules():  # type: ignore[attr-defined]
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
        return Translator(checkpoint, "cpu", engine)

    return translator


@pytest.fixture
def colour(tmp_path: Path) -> Translator:
    return load(save_tiny_denoiser(tmp_path / "colour.safetensors", 3), "cpu")


@pytest.fixture
def described(tmp_path: Path) -> Path:
    """A JPEG from a camera that was held upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Canon"
    Image.fromarray(pixels(20, 30, 3)).save(tmp_path / "photo.jpg", exif=exif, icc_profile=b"profile")
    return tmp_path / "photo.jpg"
