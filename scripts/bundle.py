"""Puts a trained model into the package: python scripts/bundle.py experiments/asapnet_facades256.py facades

Stores the run's last generator as float16, measures that very file on the whole validation split, at full size, and
writes the scores into its manifest. What the package held under that name is replaced only then.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

from pixelwise.atomic import replacement
from pixelwise.checkpoint import BUNDLED, load_checkpoint, save_checkpoint
from pixelwise.data import DATASETS
from pixelwise.data.augment import Augment
from pixelwise.errors import InputError
from pixelwise.training.experiment import read_experiment
from pixelwise.training.validation import validation_scores

MAX_BYTES = 12_000_000


def bundle(experiment: Path, name: str) -> None:
    """Raises InputError for a file of ``MAX_BYTES`` or more."""
    config = read_experiment(experiment)
    trained = load_checkpoint(Path(config.out) / "last.safetensors")
    samples = DATASETS[config.dataset](Path(config.data), "val")
    whole = Augment(scale=config.scale)
    manifest = replace(
        trained.manifest,
        source=f"{trained.manifest.source}; {experiment.as_posix()}; scores on {len(samples)} of its val split",
        licence=config.licence,
    )
    path = BUNDLED / f"{name}.safetensors"
    with replacement(path) as beside:
        save_checkpoint(beside, trained.generator, manifest, torch.float16)
        stored = load_checkpoint(beside)
        validation = [whole.centred(samples[index]) for index in range(len(samples))]
        scores = validation_scores(stored.generator, validation, samples.target)
        save_checkpoint(beside, stored.generator, replace(manifest, metrics=scores), torch.float16)
        if (size := beside.stat().st_size) >= MAX_BYTES:
            raise InputError(f"{path}: would be {size} bytes, the package may ship less than {MAX_BYTES}")
    print(f"{path}: {size / 1e6:.1f} MB, {scores}")


if __name__ == "__main__":
    bundle(Path(sys.argv[1]), sys.argv[2])
