"""How much memory a picture takes beyond input, output and network, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import torch

from pixelwise.bench.subject import Size


def peak_bytes(model: str, size: Size, engine: str, precision: str, device: torch.device) -> int | None:
    """Bytes by which memory grows at most while one picture of ``size`` is made, the picture itself left out.

    What an engine keeps from run to run, such as weights in a layout of its own, belongs to the network: a smaller
    picture is made before. Of the CPU's memory what is resident counts, of a GPU's what torch has given out.

    Returns:
        None where the operating system does not tell: anywhere but on Linux.

    Raises:
        subprocess.CalledProcessError: the run failed, for want of memory perhaps.
    """
    height, width = size
    arguments = (model, f"{height}x{width}", engine, precision, str(device), str(torch.get_num_threads()))
    command = [sys.executable, "-m", "pixelwise.bench.memory_probe", *arguments]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return None if "unknown" in printed else int(printed)
