"""How much memory a picture or a step of training takes, beyond what its process holds already."""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def can_tell(device: torch.device) -> bool:
    """Whether ``grown_bytes`` knows."""
    return device.type == "cuda" or _CLEAR_REFS.exists()


def grown_bytes(run: Callable[[], Tensor], device: torch.device) -> int | None:
    """Bytes by which memory grows at most while ``run`` makes a picture or takes a step; what it returns is left out.

    Of the CPU's memory what is resident counts, of a GPU's what torch has given out. None where the operating system
    does not tell: anywhere but on Linux.
    """
    if not can_tell(device):
        return None
    return _grown_on_gpu(run, device) if device.type == "cuda" else _grown_on_cpu(run)


def training_step(generator: nn.Module, condition: Condition) -> Callable[[], Tensor]:
    """A step of training for ``grown_bytes`` to look at: forward, backward and Adam's update of a generator alone.

    The first call counts all that training needs besides the weights: activations, gradients and Adam's two moments. A
    discriminator and its activations come on top where there is one.

    Args:
        generator: from a condition to a translation, in the mode that it is in.
        condition: B conditions.
    """
    optimiser = torch.optim.Adam(generator.parameters())

    def step() -> Tensor:
        loss: Tensor = generator(condition).image.float().square().mean()
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step


def _grown_on_cpu(run: Callable[[], Tensor]) -> int:
    _give_back_freed_memory()
    before = _resident("VmRSS")
    _CLEAR_REFS.write_text(_RESET_PEAK)
    picture = run()
    return max(0, _resident("VmHWM") - before - picture.nbytes)


def _grown_on_gpu(run: Callable[[], Tensor], device: torch.device) -> int:
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    picture = run()
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
