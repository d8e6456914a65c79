"""A training set -> the memory bank of SIMS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.atomic import check_free, check_writable
from pixelwise.data import dataset_named
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.models.sims_bank import BankHeader, write_bank
from pixelwise.version import VERSION

Progress = Callable[[int, int], object]
"""Told of pictures that are done, and of all that there are."""


def memorise(
    dataset: str,
    data: Path,
    split: str,
    out: Path,
    licence: str = "",
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> int:
    """Cuts all pictures of a set into segments and writes their bank, all or nothing.

    Args:
        dataset: a name of ``DATASETS``.
        data: the data set's folder.
        split: the part of it.
        out: the ``.safetensors`` to write.
        licence: terms of the pictures.
        overwrite: whether ``out`` is replaced if it is there; otherwise it is refused.
        progress: told of every picture.

    Returns:
        How many segments there are.

    Raises:
        InputError: a set that does not exist, has no label maps or no 8-bit pictures; an ``out`` that is there already
            or that cannot be written; or a sample that cannot be read.
    """
    check_free(out, overwrite)
    check_writable(out)
    samples = dataset_named(dataset)(data, split)
    target = samples.target
    if samples.spec.labels is None or not isinstance(target, ImageSpec) or target.dtype != "uint8":
        raise InputError(f"{dataset}: a memory bank is made of label maps and 8-bit pictures, which this set has not")
    source = f"made by pixelwise {VERSION} of {len(samples)} samples of {dataset}, {split}"
    header = BankHeader(samples.spec.labels, target.channels, samples.names, source, licence)
    return write_bank(out, header, _pictures(samples, target, progress))


def _pictures(samples: PairedData, target: ImageSpec, progress: Progress) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each sample its picture H W C uint8, and its class indices H W."""
    for index in range(len(samples)):
        sample = samples[index]
        assert sample.condition.labels is not None
        yield images.from_tensor(sample.target[0], target), sample.condition.labels[0].numpy()
        progress(index + 1, len(samples))
