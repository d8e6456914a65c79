"""The process that measures one picture's memory, see memory.py.

``python -m pixelwise.bench.memory_probe MODEL SIZE ENGINE PRECISION DEVICE THREADS`` prints bytes, or "unknown".
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from pathlib import Path

import torch

from pixelwise.bench.contest import Contestant, enter
from pixelwise.bench.precision import PRECISIONS
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import build

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def main(model: str, size_text: str, engine: str, precision: str, device_name: str, threads: str) -> None:
    torch.set_num_threads(int(threads))
    height, width = map(int, size_text.split("x"))
    device = torch.device(device_name)
    generator = build(model, (height, width)).to(device)
    smallest = 2 * generator.config.cell
    growth = _growth_on_gpu if device.type == "cuda" else _growth_on_cpu
    for size in ((smallest, smallest), (height, width)):
        condition = draw_condition(generator.config, size).to(device)
        (entrant,) = enter(generator, condition, engine, (PRECISIONS[precision],))
        grown = growth(entrant, device)
    print("unknown" if grown is None else grown)


def _growth_on_cpu(entrant: Contestant, device: torch.device) -> int | None:
    if not _CLEAR_REFS.exists():
        return None
    _give_back_freed_memory()
    before = _resident("VmRSS")
    _CLEAR_REFS.write_text(_RESET_PEAK)
    with entrant.precision.active():
        picture = entrant.run()
    return max(0, _resident("VmHWM") - before - picture.nbytes)


def _growth_on_gpu(entrant: Contestant, device: torch.device) -> int | None:
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    with entrant.precision.active():
        picture = entrant.run()
    return torch.cuda.max_memory_allocated(device) - before - picture.nbytes


def _give_back_freed_memory() -> None:
    """What earlier runs freed is no longer resident, so that it counts when it is taken anew."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _resident(field: str) -> int:
    """VmRSS, what is resident now, or VmHWM, the most that was, in bytes."""
    found = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert found is not None, f"{_STATUS} has no {field}"
    return 1024 * int(found[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
