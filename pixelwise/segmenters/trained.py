"""Models of ours that find classes in photos: what ``pixelwise train`` makes of the same pairs, read the other way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from pixelwise.checkpoint import resolve
from pixelwise.condition import Condition
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.metrics.layer_features import LayerFeatures
from pixelwise.segmenters.segmenter import Segmenter, check_classes, differing_class
from pixelwise.translate import Translator, load


def trained_segmenter(model: str | Path, spec: LabelSpec, device: torch.device | str = "auto") -> Segmenter:
    """A model that makes label maps of photos.

    Args:
        model: a ``.safetensors`` file.
        spec: the classes of the label maps: the model's own.
        device: where it runs.

    Raises:
        InputError: see ``load``; a model that makes pictures, reads something else than photos of three channels, or
            finds other classes.
    """
    path, translator = resolve(model), load(model, device)
    manifest = translator.manifest
    if not isinstance(manifest.target, LabelSpec):
        raise InputError(f"{path}: this {manifest.family} model makes pictures, expected one that finds classes")
    if manifest.spec.labels is not None or manifest.spec.image_channels != 3:
        raise InputError(f"{path}: this {manifest.family} model does not read photos of three channels alone")
    check_classes(path, manifest.target.num_classes, spec)
    if difference := differing_class(manifest.target.names, spec.names):
        raise InputError(f"{path}: {difference}")

    def find(pictures: Tensor) -> Tensor:
        return translator.translate(Condition(image=pictures)).to(pictures.device, torch.int64)

    name = f"{manifest.family} ({path.name})"
    return Segmenter(name, spec.num_classes, find, sha256_of(path), _features(translator))


def _features(translator: Translator) -> Callable[[Tensor], Tensor] | None:
    """What lies at the narrowest place of a U-Net: all that it has found, and nothing yet of what it makes of it."""
    config = translator.manifest.config
    if translator.manifest.family != "pix2pix" or config["num_blocks"]:
        return None
    assert isinstance(translator.generator, nn.Module)
    layers = LayerFeatures(translator.generator, f"network.up.{config['num_downsamplings'] - 1}.0")
    return lambda pictures: layers(pictures.to(translator.device))
