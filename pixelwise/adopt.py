"""Official weights -> our checkpoint.

Files are read without running anything that they contain (state_dict.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pixelwise.atomic import check_free
from pixelwise.checkpoint import Manifest, build, check_name, manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.data.ade20k import LABELS as ADE20K
from pixelwise.data.cityscapes import LABELS as CITYSCAPES
from pixelwise.data.coco_stuff import LABELS as COCO_STUFF
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.initial_weights import NothingDrawn
from pixelwise.labels import LabelSpec
from pixelwise.layers.published_names import with_hooked_norms
from pixelwise.likeness import nearest_family
from pixelwise.models import family_named
from pixelwise.models.family import Family, GeneratorConfig, StateDict, config_from_json
from pixelwise.state_dict import check_fits, read_state_dict, unwrapped

LABELS = {"cityscapes": CITYSCAPES, "ade20k": ADE20K, "coco_stuff": COCO_STUFF}
"""Classes of published configurations, by how their names begin: a state dict only tells how many there are."""


def adopt(
    family: str,
    state_dict: Mapping[str, Tensor | np.ndarray],
    config: GeneratorConfig,
    encoder: Mapping[str, Tensor | np.ndarray] | None = None,
) -> nn.Module:
    """A generator with weights that its authors published.

    Args:
        family: a name of ``FAMILIES``.
        state_dict: tensors or arrays under their published names. With the encoder's among them, all names bear a
            prefix, netG. or netE. Before that all may bear ``module.``, of a network that was saved in its wrapper for
            several GPUs.
        config: the family's configuration that they were trained with.
        encoder: the encoder's, if it was published apart.

    Returns:
        The generator in eval mode.

    Raises:
        InputError: an unknown family, another family's configuration, or weights that do not fit it exactly: told by
            the names and shapes of the files, with the family whose weights they rather are.
    """
    adopted = family_named(family)
    if not isinstance(config, adopted.config):
        raise InputError(f"{family} takes a {adopted.config.__name__}, got a {type(config).__name__}")
    with NothingDrawn(), torch.device("meta"):
        network = build(config)
    files = [{name: torch.as_tensor(value) for name, value in part.items()} for part in (state_dict, encoder or {})]
    of_generator, of_encoder = map(unwrapped, files)
    tensors = with_hooked_norms({**of_generator, **{f"netE.{name}": value for name, value in of_encoder.items()}})
    names = {id(tensor): name for file in files for name, tensor in file.items()}

    def in_file(name: str, tensor: Tensor) -> StateDict:
        if id(tensor) in names:
            return {names[id(tensor)]: tensor}
        return adopted.as_published({name: tensor}, config)

    try:
        weights = adopted.adopt(tensors, config)
        check_fits(network, weights, in_file)
    except InputError as error:
        raise InputError(f"{error}{_hint(adopted, network, tensors, config)}") from error
    with NothingDrawn():
        generator = build(config)
    generator.load_state_dict(weights)
    return generator.eval()


def adopt_file(
    family: str,
    source: Path,
    out: Path,
    published: str | None = None,
    config_file: Path | None = None,
    overwrite: bool = False,
    encoder: Path | None = None,
) -> Manifest:
    """Reads a published file and writes a checkpoint of ours.

    Args:
        family: a name of ``FAMILIES``.
        source: a state dict, read as weights only: ``.pth``, ``.pt`` or ``.npz``.
        out: the ``.safetensors`` to write.
        published: a name of the family's published configurations; or
        config_file: JSON with the configuration's fields, where it is not a published one.
        overwrite: whether ``out`` is replaced if it is there; otherwise it is refused.
        encoder: the encoder's state dict, where it was published apart.

    Returns:
        The manifest that was written.

    Raises:
        InputError: not exactly one configuration, an unreadable source, weights that do not fit, or an ``out`` of
            another suffix or that is there already; naming the file.
    """
    check_name(out)
    check_free(out, overwrite)
    adopted = family_named(family)
    config, origin, licence = _configuration(adopted, published, config_file)
    known = adopted.published.get(published or "")
    weights, of_encoder = read_state_dict(source), None if encoder is None else read_state_dict(encoder)
    try:
        generator = adopt(family, weights, config, of_encoder)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    manifest = manifest_for(
        config,
        _spec(adopted, config, published or ""),
        image=ImageSpec(config.image_channels) if config.image_channels else None,
        target=ImageSpec(config.out_channels),
        restores=adopted.restores,
        noise=None if known is None else known.noise,
        source=f"adopted from {' and '.join(path.name for path in (source, encoder) if path is not None)}{origin}",
        licence=licence,
    )
    save_checkpoint(out, generator, manifest)
    return manifest


def _configuration(family: Family, published: str | None, config_file: Path | None) -> tuple[GeneratorConfig, str, str]:
    """The configuration, and what the manifest says of its origin and licence."""
    if published is not None and config_file is None:
        if published not in family.published:
            names = ", ".join(family.published) or "none: describe the configuration in a file (--config)"
            raise InputError(f"{family.name} has no published {published!r}; there are {names}")
        known = family.published[published]
        return known.config, f", published as {published} at {known.source}", known.licence
    if config_file is None or published is not None:
        raise InputError("give either the name of a published configuration or a file with the configuration's fields")
    try:
        fields = json.loads(config_file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{config_file}: not readable as JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InputError(f"{config_file}: expected an object of fields, got a {type(fields).__name__}")
    try:
        return config_from_json(family, fields), "", ""
    except InputError as error:
        raise InputError(f"{config_file}: {error}") from error


def _spec(family: Family, config: GeneratorConfig, published: str) -> ConditionSpec:
    known = [labels for name, labels in LABELS.items() if published.startswith(name)]
    labels = next((labels for labels in known if labels.num_channels == config.num_labels), None)
    if labels is None and config.num_labels:
        labels = LabelSpec(tuple(f"class {index}" for index in range(config.num_labels)))
    return ConditionSpec(labels, config.instance_edges, config.image_channels, family.reads_style(config))


def _hint(family: Family, generator: nn.Module, published: StateDict, config: GeneratorConfig) -> str:
    """Why weights may not fit, if that can be told."""
    nearest = nearest_family(published, config)
    if nearest is not None and nearest != family.name:
        return f"; their names are rather those of the family {nearest}"
    has_encoder = any(name.startswith(("netE.", "Zencoder.")) for name in published)
    reads_encoder = any(".encoder." in f".{name}" for name in generator.state_dict())
    if reads_encoder and not has_encoder and nearest is not None:
        return "; the encoder's weights are missing: where they are published in a file of their own, name it too"
    if has_encoder and not reads_encoder:
        return "; this configuration has no encoder"
    return ""
