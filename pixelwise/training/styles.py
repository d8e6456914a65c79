"""The last thing that a run does: its generators keep styles to draw from, where their family has such."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from pixelwise.checkpoint import load_checkpoint, save_checkpoint
from pixelwise.condition import Condition
from pixelwise.models import family_of
from pixelwise.training.batches import seed_globally
from pixelwise.training.run import Run


def keeps_styles(run: Run) -> bool:
    """Whether its generators learn styles. These belong to classes: without labels there are none."""
    learns = family_of(run.config.model).learn_styles is not None
    return learns and run.config.reads_style and run.samples.spec.labels is not None


def keep_styles(run: Run) -> None:
    """Lets the averaged generator, and the best one in its file, learn the styles of the training set.

    What they learn depends on their weights and the seed alone. The run must be one that ``keeps_styles``.
    """
    learn, device = family_of(run.config.model).learn_styles, run.processes.device
    assert learn is not None
    seed_globally(run.config.seed)
    learn(run.average.averaged, _conditions(run, device))
    if run.best_checkpoint.exists():
        best = load_checkpoint(run.best_checkpoint, device)
        assert isinstance(best.generator, nn.Module)
        seed_globally(run.config.seed)
        learn(best.generator, _conditions(run, device))
        save_checkpoint(run.best_checkpoint, best.generator, best.manifest)


def _conditions(run: Run, device: torch.device) -> Iterator[Condition]:
    return (sample.condition.to(device) for sample in run.fixed_samples)
