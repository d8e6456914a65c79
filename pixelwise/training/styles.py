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


def keep_styles(run: Run) -> bool:
    """Lets the averaged generator, and the best one in its file, learn the styles of the training set.

    What they learn depends on their weights and the seed alone.

    Returns:
        Whether there is something to learn. Styles belong to classes: without labels there are none.
    """
    learn = family_of(run.config.model).learn_styles
    if learn is None or not run.config.reads_style or run.samples.spec.labels is None:
        return False
    device = run.processes.device
    seed_globally(run.config.seed)
    learn(run.average.averaged, _conditions(run, device))
    if run.best_checkpoint.exists():
        best = load_checkpoint(run.best_checkpoint, device)
        assert isinstance(best.generator, nn.Module)
        seed_globally(run.config.seed)
        learn(best.generator, _conditions(run, device))
        save_checkpoint(run.best_checkpoint, best.generator, best.manifest)
    return True


def _conditions(run: Run, device: torch.device) -> Iterator[Condition]:
    return (sample.condition.to(device) for sample in run.fixed_samples)
