"""A paper's comparison with networks and pictures so small that a test trains them all."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_pairs import draw, write_pairs

from pixelwise.data.paired_folder import paired_folder
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.evaluation.protocol import Protocol

SIZE = (64, 64)
STEPS = 2


def shrunk(comparison: Any, narrow: Callable[[Any], Any], pairs: Path) -> Any:
    """The same trials of narrow networks, for two steps on ``write_pairs``.

    Args:
        comparison: a TrainedComparison.
        narrow: from a trial's model to one of few channels.
        pairs: folder for the pairs.
    """
    few = {"scale": SIZE, "crop": None, "batch_size": 2, "steps": STEPS, "constant_steps": 1, "validation_samples": 1}
    study = {"dataset": "paired_folder", "data": str(write_pairs(pairs)), "device": "cpu", **few}
    judge = PatchDiscriminatorConfig(width=2, max_width=4)
    trials = {
        name: replace(config, model=narrow(config.model), discriminator=judge, **study)
        for name, config in comparison.trials.items()
    }
    return replace(comparison, trials=trials)


def run(comparison: Any, folder: Path, **options: Any) -> None:
    """The command on pairs in ``folder / "pairs"``; all that it writes comes beside them."""
    places = {"data": folder / "pairs", "runs": folder / "runs", "out": folder / "out", "sheets": folder / "docs"}
    comparison.main(**places, rounds=1, threads=1, **options)


def judge_cheaply(monkeypatch: pytest.MonkeyPatch, scene: Path) -> list[Any]:
    """By the pairs' own protocol, with one scene, and no process that measures memory; who would have been asked."""
    measures = ("psnr", "ssim", "segmentation", "segmenter_features")
    tiny = Protocol("tiny-v1", paired_folder, "val", "", measures, True, "little", SIZE)
    asked: list[Any] = []

    def training_bytes(config: Any, size: tuple[int, int]) -> int:
        assert size == SIZE
        asked.append(config)
        return 10**6 * len(asked)

    trials = importlib.import_module("trials")
    monkeypatch.setattr(importlib.import_module("ground"), "protocol_named", lambda name: tiny)
    monkeypatch.setattr(trials, "family_training_bytes", training_bytes)
    monkeypatch.setattr(trials, "SCENES", (draw(scene, (64, 96)),))
    monkeypatch.setattr(importlib.import_module("trained_comparison"), "SCENE_SIZE", (32, 32))
    return asked
