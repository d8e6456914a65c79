"""An evaluation of many pictures takes no more memory than one of few: nothing that is large is kept of any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pixelwise.metrics.complexity import CPU
from pixelwise.metrics.memory import can_tell

FEW, MANY = 600, 2400
"""Both are more than are summed at once for a Fréchet distance."""
MIB = 1 << 20


@pytest.mark.slow
@pytest.mark.skipif(not can_tell(CPU), reason="the operating system does not tell")
def test_memory_does_not_grow_with_the_number_of_pictures() -> None:
    command = [sys.executable, str(Path(__file__).with_name("evaluation_memory.py")), str(FEW), str(MANY)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    few, many = map(int, told.split())
    # Of 1800 pictures of 32 x 32: they themselves take 21 MiB, their features 7, how classes were confused 22.
    assert many - few < 5 * MIB
