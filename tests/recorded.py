"""Arrays that the published systems' own implementations made, see golden/."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixelwise.condition import Condition

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 2e-4
"""Of pictures in [-1, 1]."""

Arrays = dict[str, Tensor]


def recorded(name: str) -> tuple[Arrays, Arrays]:
    """Inputs and outputs under ``in/...`` and ``out/...``; the weights under their published names."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
    weights = {key.removeprefix("sd/"): value for key, value in arrays.items() if key.startswith("sd/")}
    return arrays, weights


def recorded_condition(arrays: Arrays, instances: bool = True, latent: Tensor | None = None) -> Condition:
    found = arrays["in/instance"][:, 0] if instances else None
    return Condition(labels=arrays["in/label"][:, 0].int(), instances=found, latent=latent)
