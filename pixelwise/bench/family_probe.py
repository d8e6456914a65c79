"""The process that measures the memory of one family's picture, see memory.py.

``python -m pixelwise.bench.family_probe FAMILY FIELDS SIZE THREADS``, the configuration's fields as JSON, prints bytes,
or "unknown".
"""

from __future__ import annotations

import json
import sys

import torch

from pixelwise.bench.families import condition_for, ready_generator
from pixelwise.bench.resident import grown_bytes
from pixelwise.metrics.complexity import CPU
from pixelwise.models import family_named
from pixelwise.models.family import config_from_json

_SMALL = (64, 64)


@torch.inference_mode()
def main(family: str, fields: str, size_text: str, threads: str) -> None:
    torch.set_num_threads(int(threads))
    config = config_from_json(family_named(family), json.loads(fields))
    generator = ready_generator(config)
    height, width = map(int, size_text.split("x"))
    for size in (_SMALL, (height, width)):
        condition = condition_for(config, size)
        grown = grown_bytes(lambda given=condition: generator(given).image, CPU)  # type: ignore[misc]
    print("unknown" if grown is None else grown)


if __name__ == "__main__":
    main(*sys.argv[1:])
