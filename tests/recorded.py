"""Arrays that the published systems' own implementations made, see golden/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.models.clade import CladeConfig
from pixelwise.models.dagan import DaganConfig
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.groupdnet import GroupDNetConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.models.sean import SeanConfig
from pixelwise.models.spade import SpadeConfig

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 2e-4
"""Of pictures in [-1, 1]."""

Arrays = dict[str, Tensor]

_PIX2PIXHD = Pix2PixHdConfig(
    num_labels=5, instance_edges=True, out_channels=3, width=4, num_downsamplings=2, num_blocks=2
)
_CLADE = CladeConfig(num_labels=8, instance_edges=True, out_channels=3, width=4, num_upsamplings=6)
RECORDED_CONFIGS: Mapping[str, GeneratorConfig] = {
    "asapnet": AsapNetConfig(
        num_labels=7, instance_edges=True, out_channels=3, cell=8, learned_reduction=4, width=8, max_width=32,
        num_blocks=2, mlp_width=16,
    ),
    "asapnet_reflect": AsapNetConfig(
        num_labels=5, out_channels=3, cell=8, learned_reduction=8, width=8, max_width=32, num_blocks=2, mlp_width=16,
        padding="reflect",
    ),
    "spade": SpadeConfig(num_labels=6, instance_edges=True, out_channels=3, width=2),
    "spade_vae": SpadeConfig(
        num_labels=4, out_channels=3, width=1, num_upsamplings=6, norm="instance", kernel_size=1, style=True
    ),
    "clade": _CLADE,
    "clade_icpe": replace(_CLADE, offsets_modulate=True),
    "ccfpse": CcfpseConfig(num_labels=5, instance_edges=True, out_channels=3, width=1),
    "dagan": DaganConfig(num_labels=6, instance_edges=True, out_channels=3, width=2),
    "sean": SeanConfig(num_labels=5, out_channels=3, width=2, style_length=12, hidden=8, encoder_width=4),
    "groupdnet": GroupDNetConfig(
        num_labels=8, out_channels=3, widths=(128, 128, 128, 128, 64, 32, 16, 8), groups=(8, 8, 4, 4, 2, 2, 1),
        label_groups=(8, 8, 4, 4, 2, 2, 1), modulation_groups=(8, 8, 4, 4, 2, 2, 1), hidden=(128,) * 7, encoder_width=2,
    ),
    "pix2pix_unet": Pix2PixConfig(
        image_channels=3, out_channels=3, width=4, num_downsamplings=7, batch_statistics=False, dropout_at_test=False
    ),
    "pix2pixhd_global": replace(_PIX2PIXHD, num_labels=6, width=8, num_downsamplings=3, num_blocks=3),
    "pix2pixhd_local": replace(_PIX2PIXHD, num_enhancers=1, num_enhancer_blocks=2),
    "pix2pixhd_features": replace(
        _PIX2PIXHD, width=6, num_features=3, encoder_width=4, encoder_num_downsamplings=2
    ),
}  # fmt: skip
"""Of the generators whose weights are recorded."""


def recorded(name: str) -> tuple[Arrays, Arrays]:
    """Inputs and outputs under ``in/...`` and ``out/...``; the weights under their published names."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
    weights = {key.removeprefix("sd/"): value for key, value in arrays.items() if key.startswith("sd/")}
    return arrays, weights


def recorded_condition(arrays: Arrays, instances: bool = True, latent: Tensor | None = None) -> Condition:
    found = arrays["in/instance"][:, 0] if instances else None
    return Condition(labels=arrays["in/label"][:, 0].int(), instances=found, latent=latent)
