"""The names that published checkpoints give to the layers of this folder."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

Renames = Sequence[tuple[str, str]]
"""A published part of a name, or some parts in a row, and what stands there in ours; in the order in which published
names become ours. On the way back the last one comes first, and must not be mistaken for another."""

_BLOCKS = ("head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3", "up_4")

DECODER: Renames = [
    *((block, f"decoder.blocks.{number}") for number, block in enumerate(_BLOCKS)),
    ("conv_img", "decoder.to_image"),
    ("param_free_norm", "norm"),
]

SPATIAL_MODULATION: Renames = [
    ("mlp_shared.0", "shared"),
    # Of layers; the tables below have no parts.
    *((f"mlp_{name}.{part}", f"{name}.{part}") for name in ("gamma", "beta") for part in ("weight", "bias")),
]

CLASS_MODULATION: Renames = [
    ("class_specified_affine.dist_conv_w", "gamma_by_offsets"),
    ("class_specified_affine.dist_conv_b", "beta_by_offsets"),
    ("class_specified_affine.weight", "gamma"),
    ("class_specified_affine.bias", "beta"),
    ("inst_conv", "of_edges"),
]

ENCODER: Renames = [
    *((f"netE.layer{number}.0", f"start.encoder.layers.{number - 1}") for number in range(1, 7)),
    ("netE.fc_mu", "start.encoder.mean"),
    ("netE.fc_var", "start.encoder.log_variance"),
]
"""Of encoders, whose names bear the prefix ``netE.``: their files are others than the generators'."""


def residual_network(down: str, up: str, trunk: str, picture: str, num_downsamplings: int, num_blocks: int) -> Renames:
    """Of a ``ResidualTrunk`` and a ``to_picture``, whose modules were numbered, paddings and activations among them.

    Args:
        down: the sequence that begins with the first padding.
        up: the sequence that the residual blocks are in: the same one, or another that begins with them.
        trunk, picture: what the two are called here. Where nothing is published of the latter, nothing is renamed.
        num_downsamplings, num_blocks: of the trunk.
    """
    blocks = 4 + 3 * num_downsamplings if up == down else 0
    enlarging = blocks + num_blocks
    levels = [(level, place) for level in range(num_downsamplings) for place in (0, 1)]
    return [
        *((f"{down}.{place + 1}", f"{trunk}.entry.{place}") for place in (0, 1)),
        *((f"{down}.{4 + 3 * level + place}", f"{trunk}.down.{level}.{place}") for level, place in levels),
        *((f"{up}.{blocks + block}", f"{trunk}.blocks.{block}") for block in range(num_blocks)),
        *((f"{up}.{enlarging + 3 * level + place}", f"{trunk}.up.{level}.{place}") for level, place in levels),
        (f"{up}.{enlarging + 3 * num_downsamplings + 1}", f"{picture}.1"),
        ("conv_block", "body"),
    ]


def without_statistics(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without running statistics, which old versions of torch kept for instance norms too, without ever using them."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    return {name: tensor for name, tensor in state_dict.items() if not name.endswith(statistics)}


def with_hooked_norms(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Spectral norms under the names that torch's hook gives them, from what older and newer versions of torch store.

    The oldest keep the normalised weight and no second vector: it is any v with uᵀ W v = sigma. The newest, which have
    parametrisations, call everything otherwise.
    """
    hooked = {_hooked(name): tensor for name, tensor in state_dict.items()}
    for name in [name for name in hooked if name.endswith("weight_u")]:
        layer = name.removesuffix("_u")
        original, normalised = hooked.get(f"{layer}_orig"), hooked.pop(layer, None)
        if original is None or f"{layer}_v" in hooked:
            continue
        back = original.flatten(1).T @ hooked[name]
        sigma = back.norm() if normalised is None else original.norm() / normalised.norm()
        hooked[f"{layer}_v"] = back * sigma / back.square().sum()
    return hooked


def _hooked(name: str) -> str:
    for new, old in ((".original", "_orig"), (".0._u", "_u"), (".0._v", "_v")):
        name = name.replace(f"parametrizations.weight{new}", f"weight{old}")
    return name


def renamed(state_dict: dict[str, Tensor], renames: Renames) -> dict[str, Tensor]:
    """The same tensors under our names; the prefix ``netG.`` is dropped."""
    return {_replaced(name.removeprefix("netG."), renames): tensor for name, tensor in state_dict.items()}


def renamed_back(state_dict: dict[str, Tensor], renames: Renames) -> dict[str, Tensor]:
    """The same tensors under their published names, without the prefix ``netG.``."""
    back = [(ours, theirs) for theirs, ours in reversed(renames)]
    return {_replaced(name, back): tensor for name, tensor in state_dict.items()}


def _replaced(name: str, renames: Renames) -> str:
    # Whole parts of a name: with a dot at either end, the first and the last are as any other.
    whole = f".{name}."
    for old, new in renames:
        whole = whole.replace(f".{old}.", f".{new}.")
    return whole[1:-1]
