"""A training set -> the styles of its classes, in a checkpoint that had none to draw from: an adopted one, mostly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from pixelwise.atomic import check_free, check_writable
from pixelwise.chance import seeded
from pixelwise.checkpoint import Manifest, check_name, load_checkpoint, resolve, save_checkpoint
from pixelwise.condition import Condition
from pixelwise.data import dataset_named
from pixelwise.data.augment import Augment
from pixelwise.data.paired_data import PairedData
from pixelwise.device import find_device
from pixelwise.errors import InputError
from pixelwise.images import num_outputs
from pixelwise.models import family_named
from pixelwise.models.family import config_for
from pixelwise.version import VERSION

Progress = Callable[[int, int], object]
"""Told of pictures that are done, and of all that there are."""


def learn_styles(
    model: str | Path,
    dataset: str,
    data: Path,
    split: str,
    out: Path,
    scale: int | None = None,
    seed: int = 0,
    device: torch.device | str = "auto",
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> Manifest:
    """Lets a model keep the styles that it finds in a set's pictures, and writes it with them, all or nothing.

    That is the last thing that `pixelwise train` does, for models that were trained elsewhere.

    Args:
        model: a checkpoint of a family that keeps styles to draw from.
        dataset: a name of ``DATASETS``.
        data: the data set's folder.
        split: the part of it.
        out: the ``.safetensors`` to write, which may be the model's own.
        scale: pixels of the short side that samples are resized to, as the model was trained; None: as they are.
        seed: where the random numbers begin by which styles are found.
        device: where it is done; "auto" for the GPU if there is one.
        overwrite: whether ``out`` is replaced if it is there; otherwise it is refused.
        progress: told of every picture.

    Returns:
        The manifest that was written.

    Raises:
        InputError: a model that keeps no styles, a set that does not exist or is not what the model is for, an ``out``
            that is there already or cannot be written, or a sample that cannot be read.
    """
    check_name(out)
    check_free(out, overwrite)
    check_writable(out)
    stored_set = dataset_named(dataset)
    place = find_device(device)
    checkpoint = load_checkpoint(resolve(model), place)
    generator, manifest = checkpoint.generator, checkpoint.manifest
    family = family_named(manifest.family)
    if family.learn_styles is None or not family.reads_style(generator.config):
        raise InputError(f"{model}: this {family.name} model keeps no styles to draw from")
    samples = stored_set(data, split)
    config_for(generator.config, samples.spec, num_outputs(samples.target))
    with seeded(seed, place):
        family.learn_styles(generator, _conditions(samples, scale, place, progress))
    source = f"{manifest.source}; styles learned by pixelwise {VERSION} of {len(samples)} samples of {dataset}, {split}"
    learned = replace(manifest, source=source)
    assert isinstance(generator, nn.Module)
    save_checkpoint(out, generator, learned)
    return learned


def _conditions(
    samples: PairedData, scale: int | None, device: torch.device, progress: Progress
) -> Iterator[Condition]:
    """Of each sample the condition, with the target as its style picture."""
    styled = Augment(scale, own_style=True)
    for index in range(len(samples)):
        yield styled.centred(samples[index]).condition.to(device)
        progress(index + 1, len(samples))
