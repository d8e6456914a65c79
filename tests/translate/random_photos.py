"""Photos of random pixels, restored as files are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelwise.translate import Translator
from pixelwise.translate.job_plan import plan
from pixelwise.translate.jobs import Outcome, run


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def restore(translator: Translator, source: Path, suffix: str = ".png") -> tuple[Path, Outcome]:
    (outcome,) = run(translator, plan([str(source)], source.parent / "out", suffix), overwrite=True)
    return outcome.job.destination, outcome
