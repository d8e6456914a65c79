"""An experiment: a Python file that binds ``config``."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path

from pixelwise.errors import InputError
from pixelwise.training.config import TrainConfig


def read_experiment(path: Path) -> TrainConfig:
    """Runs the file and takes its ``config``.

    Raises:
        InputError: naming the file, and the line where it goes wrong: no such file, an exception in it, no ``config``.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such experiment file")
    try:
        config = runpy.run_path(str(path)).get("config")
    except (Exception, SystemExit) as error:  # whatever the user's own lines raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = f", line {lines[-1]}" if lines else ""
        raise InputError(f"{path}{place}: {type(error).__name__}: {error}") from error
    if not isinstance(config, TrainConfig):
        raise InputError(f"{path}: binds no `config` that is a TrainConfig, but {type(config).__name__}")
    return config
