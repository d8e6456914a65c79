"""What is to be measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from pixelwise.bench.peaks import Effort
from pixelwise.bench.subject import FULL_SIZE, Size
from pixelwise.errors import InputError
from pixelwise.metrics.complexity import CPU


@dataclass(frozen=True)
class Plan:
    """What is to be measured; the defaults are for a CPU.

    Attributes:
        models: names of ``RANDOM``, bundled names or files.
        sizes: (height, width) in pixels.
        engines: names; empty for all that can run. Of those named, every one must.
        repeats, warm_up: rounds that are measured, at least 1, and rounds before them. The proof of equality is a round
            before all others anyway.
        memory: whether memory is measured too, which starts a process for each row.
        device: where.
        effort: how hard the peaks are looked for.
        freed_memory_kept: whether freed memory stays with the process (``pixelwise.allocator``) for all sides alike, as
            `translate` has it; otherwise large pictures pay for the system's memory each time, the plain path most.
    """

    models: tuple[str, ...] = (FULL_SIZE,)
    sizes: tuple[Size, ...] = ((256, 256), (512, 512), (512, 1024), (1024, 1024), (2048, 2048))
    engines: tuple[str, ...] = ()
    repeats: int = 5
    warm_up: int = 0
    memory: bool = True
    device: torch.device = CPU
    effort: Effort = field(default_factory=Effort)
    freed_memory_kept: bool = False

    def __post_init__(self) -> None:
        if self.repeats < 1 or self.warm_up < 0:
            raise InputError(f"expected repeats >= 1 and warm_up >= 0, got {self.repeats} and {self.warm_up}")

    def changed(
        self, models: Sequence[str] = (), sizes: str = "", engines: str = "", repeats: int = 0, memory: bool = True
    ) -> Plan:
        """This plan with what a command line says, where it says something.

        Args:
            models: see ``Plan``.
            sizes: such as 256x256,512x1024 (height first).
            engines: names with commas between them.
            repeats, memory: see ``Plan``.

        Raises:
            InputError: sizes that are none.
        """
        return replace(
            self,
            models=tuple(models) or self.models,
            sizes=read_sizes(sizes) if sizes else self.sizes,
            engines=tuple(engines.split(",")) if engines else self.engines,
            repeats=repeats or self.repeats,
            memory=memory,
        )


_QUICK = Plan(sizes=((64, 64),), repeats=1, effort=Effort(side=64, megabytes=1, rounds=1000))


def plan_on(device: torch.device, quick: bool = False) -> Plan:
    """What is usually measured on a device: GPUs are so fast that they need more rounds, and larger pictures.

    Args:
        device: where.
        quick: for tiny pictures, once, to see that all is well.
    """
    if quick:
        return replace(_QUICK, device=device)
    if device.type != "cuda":
        return Plan(device=device)
    sizes = ((1024, 1024), (2160, 3840), (4320, 7680))
    effort = Effort(side=8192, megabytes=4096)
    return Plan(sizes=sizes, repeats=50, warm_up=10, device=device, effort=effort)


def read_sizes(text: str) -> tuple[Size, ...]:
    """Such as 256x256,512x1024, height first. Raises InputError for what is no sizes."""
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*(,[1-9]\d*x[1-9]\d*)*", text):
        raise InputError(f"sizes {text!r}: expected HEIGHTxWIDTH, or several with commas between them")
    pairs = (part.split("x") for part in text.split(","))
    return tuple((int(height), int(width)) for height, width in pairs)
