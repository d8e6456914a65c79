"""The process that measures the memory of one family's picture, or of a step of its training, see memory.py.

``python -m pixelwise.bench.family_probe TASK FAMILY FIELDS SIZE THREADS``, the configuration's fields as JSON, prints
bytes, or "unknown".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping

import torch

from pixelwise.bench.families import condition_for, ready_generator
from pixelwise.bench.subject import Size
from pixelwise.metrics.complexity import CPU
from pixelwise.metrics.memory import grown_bytes, training_step
from pixelwise.models import family_named, family_of
from pixelwise.models.family import GeneratorConfig, config_from_json

_SMALL = (64, 64)


@torch.inference_mode()
def inference_bytes(config: GeneratorConfig, size: Size) -> int | None:
    """Of a picture; a smaller one is made before."""
    generator = ready_generator(config)
    for picture in (_SMALL, size):
        condition = condition_for(config, picture)
        grown = grown_bytes(lambda given=condition: generator(given).image, CPU)  # type: ignore[misc]
    return grown


def training_bytes(config: GeneratorConfig, size: Size) -> int | None:
    """Of the first step."""
    generator = family_of(config).generator(config).train()
    return grown_bytes(training_step(generator, condition_for(config, size)), CPU)


TASKS: Mapping[str, Callable[[GeneratorConfig, Size], int | None]] = {
    "inference": inference_bytes,
    "training": training_bytes,
}


def main(task: str, family: str, fields: str, size_text: str, threads: str) -> None:
    torch.set_num_threads(int(threads))
    config = config_from_json(family_named(family), json.loads(fields))
    height, width = map(int, size_text.split("x"))
    grown = TASKS[task](config, (height, width))
    print("unknown" if grown is None else grown)


if __name__ == "__main__":
    main(*sys.argv[1:])
