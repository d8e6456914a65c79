"""Checkpoints of random weights that are small enough for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.models.asapnet import AsapNet, AsapNetConfig

LABELS = LabelSpec(
    ("a", "b", "c"), colours=((9, 9, 9), (90, 0, 0), (0, 90, 0), (255, 255, 255)), ids=(1, 4, 2), ignore_id=0
)
LABEL_MODEL = ConditionSpec(LABELS)
INSTANCE_MODEL = ConditionSpec(LABELS, instances=True)
PHOTO_MODEL = ConditionSpec(image_channels=3)


def save_tiny_model(
    path: Path, spec: ConditionSpec, image: ImageSpec | None = None, target: ImageSpec | None = None, **config: Any
) -> Path:
    """Writes a model that reads what ``spec`` says, with further fields of its configuration; returns the path."""
    target = target or ImageSpec()
    fields = {
        "num_labels": spec.num_labels, "instance_edges": spec.instances, "image_channels": spec.image_channels,
        "out_channels": target.channels, "cell": 4, "width": 4, "max_width": 8, "num_blocks": 1, "mlp_width": 4,
        "mlp_depth": 2,
    }  # fmt: skip
    model = AsapNetConfig(**{**fields, **config})
    if image is None and spec.image_channels:
        image = ImageSpec(spec.image_channels)
    torch.manual_seed(0)
    save_checkpoint(path, AsapNet(model), manifest_for(model, spec, image=image, target=target))
    return path
