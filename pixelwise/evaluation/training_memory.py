"""What a step of training takes, in a process of its own: if it takes more than there is, nothing else is lost."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import torch

from pixelwise.checkpoint import give_bank, load_checkpoint, resolve
from pixelwise.condition import Condition
from pixelwise.device import find_device
from pixelwise.errors import InputError
from pixelwise.metrics.memory import can_tell, grown_bytes, training_step


def training_bytes(model: str, condition: Condition, device: str) -> int | None:
    """Memory of a model's first step of training, see ``training_step``: of the generator alone.

    Args:
        model: a bundled name or a file.
        condition: what one picture is made of, B = 1.
        device: where the step is taken.

    Returns:
        None where the system does not tell, there is too little memory, or the model cannot learn from this condition.
    """
    if not can_tell(find_device(device)):
        return None
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        step = pool.submit(_bytes_of_first_step, model, condition, device, torch.get_num_threads())
        try:
            return step.result()
        # For want of memory the process is killed, or torch refuses.
        except (BrokenProcessPool, InputError, RuntimeError):
            return None


def _bytes_of_first_step(model: str, condition: Condition, device_name: str, threads: int) -> int | None:
    torch.set_num_threads(threads)
    device, path = find_device(device_name), resolve(model)
    checkpoint = load_checkpoint(path, device)
    give_bank(checkpoint, path.parent)
    assert isinstance(checkpoint.generator, torch.nn.Module)
    step = training_step(checkpoint.generator.train(), condition.to(device))
    return grown_bytes(step, device)
