"""The names that published checkpoints give to the layers of discriminators; SPADE's need no change."""

from __future__ import annotations

from torch import Tensor

from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.layers.published_names import renamed, without_statistics


def adopt_pix2pix(state_dict: dict[str, Tensor], config: PatchDiscriminatorConfig) -> dict[str, Tensor]:
    """Of pix2pix, whose layers are one numbered sequence in which activations take a number too."""
    hidden = range(1, config.num_layers)
    renames = [
        ("model.0", "discriminator_0.model0.0"),
        *((f"model.{3 * layer - 1}", f"discriminator_0.model{layer}.0.0") for layer in hidden),
        *((f"model.{3 * layer}", f"discriminator_0.model{layer}.0.1") for layer in hidden),
        (f"model.{3 * config.num_layers - 1}", f"discriminator_0.model{config.num_layers}.0"),
    ]
    return renamed(state_dict, renames)


def adopt_pix2pixhd(state_dict: dict[str, Tensor], config: PatchDiscriminatorConfig) -> dict[str, Tensor]:
    """Of pix2pixHD, which counts scales from the coarsest one."""
    renames = []
    for scale in range(config.num_scales):
        theirs, ours = f"scale{config.num_scales - 1 - scale}", f"discriminator_{scale}"
        for layer in range(config.num_layers + 1):
            hidden = 0 < layer < config.num_layers
            renames.append((f"{theirs}_layer{layer}", f"{ours}.model{layer}" + (".0" if hidden else "")))
    return renamed(without_statistics(state_dict) if config.norm == "instance" else state_dict, renames)


def adopt_ccfpse(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of CC-FPSE, whose discriminator is a FeaturePyramidDiscriminator."""
    renames = [
        *((f"enc{layer}.0", f"down.{layer - 1}") for layer in range(1, 6)),
        *((f"lat{layer}.0", f"lateral.{layer - 2}") for layer in range(2, 6)),
        *((f"final{layer}.0", f"smooth.{layer - 2}") for layer in range(2, 5)),
        ("tf", "realism"),
        ("seg", "semantics"),
    ]
    return renamed(state_dict, renames)
