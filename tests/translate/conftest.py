from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from session_scene import Make
from tiny_model import INSTANCE_MODEL, save_tiny_model
from torch import nn

from pixelwise.checkpoint import load_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.translate import Translator


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
