"""How much memory a picture or a step of training takes beyond input, output and network, each in a process of its own.

What an engine keeps from run to run, such as weights in a layout of its own, belongs to the network: a smaller picture
is made before. Results are None where the operating system does not tell: anywhere but on Linux; and where the process
fails, for want of memory perhaps: it says itself why, unless it is killed. All that was measured before is worth more.
"""

from __future__ import annotations

import json
import subprocess
import sys

import torch

from pixelwise.bench.subject import Size
from pixelwise.models import family_of
from pixelwise.models.family import GeneratorConfig, config_to_json


def peak_bytes(model: str, size: Size, engine: str, precision: str, device: torch.device, cell: int = 0) -> int | None:
    """Bytes by which memory grows at most while an engine makes one picture of ``size``, see ``grown_bytes``; for
    ``cell`` see ``subject.build``."""
    threads = str(torch.get_num_threads())
    return _ask("memory_probe", model, _text(size), str(cell), engine, precision, str(device), threads)


def family_peak_bytes(config: GeneratorConfig, size: Size) -> int | None:
    """The same while a family's generator, ready for inference, makes one on the CPU."""
    return _ask_of_family("inference", config, size)


def family_training_bytes(config: GeneratorConfig, size: Size) -> int | None:
    """The same of the first step of its training on one picture on the CPU, see ``training_step``; gradients and Adam's
    moments count."""
    return _ask_of_family("training", config, size)


def _ask_of_family(task: str, config: GeneratorConfig, size: Size) -> int | None:
    fields = json.dumps(config_to_json(config))
    return _ask("family_probe", task, family_of(config).name, fields, _text(size), str(torch.get_num_threads()))


def _ask(probe: str, *arguments: str) -> int | None:
    command = [sys.executable, "-m", f"pixelwise.bench.{probe}", *arguments]
    asked = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return int(asked.stdout) if asked.returncode == 0 and "unknown" not in asked.stdout else None


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
