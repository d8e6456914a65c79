"""The process that measures one picture's memory, see memory.py.

``python -m pixelwise.bench.memory_probe MODEL SIZE CELL ENGINE PRECISION DEVICE THREADS`` prints bytes, or "unknown".
"""

from __future__ import annotations

import sys

import torch

from pixelwise.allocator import give_back_freed_memory
from pixelwise.bench.contest import enter
from pixelwise.bench.precision import PRECISIONS
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import build
from pixelwise.metrics.memory import grown_bytes


def main(model: str, size_text: str, cell: str, engine: str, precision: str, device_name: str, threads: str) -> None:
    give_back_freed_memory()
    torch.set_num_threads(int(threads))
    height, width = map(int, size_text.split("x"))
    device = torch.device(device_name)
    generator = build(model, (height, width), int(cell)).to(device)
    smallest = 2 * generator.config.cell
    for size in ((smallest, smallest), (height, width)):
        condition = draw_condition(generator.config, size).to(device)
        (entrant,) = enter(generator, condition, engine, (PRECISIONS[precision],))
        with entrant.precision.active():
            grown = grown_bytes(entrant.run, device)
    print("unknown" if grown is None else grown)


if __name__ == "__main__":
    main(*sys.argv[1:])
