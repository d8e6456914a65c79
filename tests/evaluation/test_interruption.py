"""Ctrl-C on a terminal: it goes to the command and to all processes that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_model import LABEL_MODEL, save_tiny_model
from tiny_pairs import draw, write_pairs

from pixelwise import images

NUM_PAIRS = 120
SECONDS = 120


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    folder = write_pairs(tmp_path / "pairs")
    random = np.random.default_rng(0)
    for index in range(NUM_PAIRS):
        draw(folder / "val" / "label" / f"{index}.png", (64, 64))
        images.write(folder / "val" / "image" / f"{index}.png", random.integers(0, 256, (64, 64, 3), np.uint8))
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    options = ("--data", folder, "--report", tmp_path / "report", "--processes", 2, "--no-memory")
    return [sys.executable, "-m", "pixelwise", "evaluate", *map(str, (model, *options))]


def made(folder: Path) -> dict[str, int]:
    """When each picture was written, by its name."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}


@pytest.mark.slow
def test_what_was_done_is_kept_and_gone_on_with(command: list[str], tmp_path: Path) -> None:
    pictures = tmp_path / "report" / "model" / "pictures"
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and len(made(pictures)) < 8 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    before = made(pictures)
    assert 8 <= len(before) < NUM_PAIRS
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    after = made(pictures)
    assert len(after) == NUM_PAIRS
    # A process may have been interrupted after a picture was written, and before it was noted that it was measured.
    assert sum(after[name] != written for name, written in before.items()) <= 2
