"""The names that published checkpoints give to SEAN's layers, of which each class has its own."""

from __future__ import annotations

import re

import torch

from pixelwise.errors import InputError
from pixelwise.layers.published_names import DECODER, SPATIAL_MODULATION, Renames
from pixelwise.models.family import StateDict

_ENCODER_LAYERS = {1: "layers.0", 4: "layers.1", 7: "layers.2", 10: "layers.3", 14: "to_styles"}

NAMES: Renames = [
    *DECODER,
    *SPATIAL_MODULATION,
    *((f"Zencoder.model.{number}", f"encoder.{layer}") for number, layer in _ENCODER_LAYERS.items()),
    *((f"ace_{norm}", f"norm_{norm}") for norm in "01s"),
    ("noise_var", "noise_scale"),
    *((f"conv_{part}", f"by_style.{part}") for part in ("gamma", "beta")),
    *((f"blending_{part}", f"by_style.blend_{part}") for part in ("gamma", "beta")),
    ("fc_mu", "by_style.per_class"),
    ("Spade", "by_layout"),
    ("norm", "by_layout.norm"),
    ("fc", "start.convolution"),
]
"""Once the layers of all classes, ``fc_mu0`` and so on, are joined to ``fc_mu``."""


def joined(state_dict: StateDict, num_labels: int) -> StateDict:
    """The layers of all classes of one modulation as one, without those of classes beyond ``num_labels``.

    Raises:
        InputError: classes without a layer, or layers of one modulation that differ in shape.
    """
    layers = {name: tensor for name, tensor in state_dict.items() if ".fc_mu" not in name}
    for all_classes in dict.fromkeys(re.sub(r"\.fc_mu\d+\.", ".fc_mu.", name) for name in state_dict):
        if all_classes in state_dict:
            continue
        names = [all_classes.replace(".fc_mu.", f".fc_mu{label}.") for label in range(num_labels)]
        if missing := [name for name in names if name not in state_dict]:
            raise InputError(f"{len(missing)} of {num_labels} classes have no layer ({', '.join(missing[:3])} …)")
        if len(shapes := {tuple(state_dict[name].shape) for name in names}) > 1:
            raise InputError(f"the layers of {num_labels} classes, {names[0]} …, differ in shape: {sorted(shapes)}")
        tensor = torch.cat([state_dict[name] for name in names])
        layers[all_classes] = tensor[:, :, None] if tensor.ndim == 2 else tensor
    return layers


def split(state_dict: StateDict, num_labels: int) -> StateDict:
    """The way back."""
    layers = {}
    for name, tensor in state_dict.items():
        if ".fc_mu." not in name:
            layers[name] = tensor
            continue
        for label, part in enumerate(tensor.chunk(num_labels)):
            layers[name.replace(".fc_mu.", f".fc_mu{label}.")] = part[:, :, 0] if part.ndim == 3 else part
    return layers
