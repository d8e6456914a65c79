"""What this machine can do: which engines run here, why others don't, and which one "auto" means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch

from pixelwise.machine import machine, versions
from pixelwise.native import library
from pixelwise.render import ENGINES, Guide, PixelMlp, PixelwiseField
from pixelwise.render.axis import axis
from pixelwise.render.engine import choose


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        machine, versions: see ``pixelwise.machine``.
        threads: that torch computes with.
        kernels: why there are no compiled kernels; None if there are.
        instruction_sets: that the kernels are compiled for and the processor has, fastest first.
        engines: by name, fastest first: why each cannot run here, None if it can.
        auto: the engine that "auto" means, for pictures and for training on each device.
    """

    machine: dict[str, Any]
    versions: dict[str, str]
    threads: int
    kernels: str | None
    instruction_sets: tuple[str, ...]
    engines: dict[str, str | None]
    auto: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def to_text(self) -> str:
        """A few lines for people."""
        host = self.machine
        compiled = f"compiled; of {', '.join(self.instruction_sets)} the first is used"
        lines = {
            "pixelwise": "{pixelwise}, Python {python}, torch {torch}".format(**self.versions),
            "processor": f"{host['cpu']}, {host['cores']} cores, {host['memory_gib']} GiB; torch has {self.threads} "
            f"threads, {host['instructions']}",
            "GPU": ", ".join(host["gpus"]) or "none that torch can use",
            "kernels": self.kernels or compiled,
            **{f"engine {name}": reason or "can run" for name, reason in self.engines.items()},
            **{f"auto, {use}": name for use, name in self.auto.items()},
        }
        width = max(map(len, lines))
        return "\n".join(f"{name:{width}}  {text}" for name, text in lines.items())


def diagnose() -> Diagnosis:
    """Looks at processor, GPUs, compiled kernels and engines. Takes no time to speak of, and changes nothing."""
    kernels = library.missing()
    devices = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    uses = {"pictures": False, "training": True}
    return Diagnosis(
        machine=machine(),
        versions=versions(),
        threads=torch.get_num_threads(),
        kernels=kernels,
        instruction_sets=library.instruction_sets() if kernels is None else (),
        engines={name: engine.missing() for name, engine in ENGINES.items()},
        auto={f"{use} on {device}": _auto(device, training) for device in devices for use, training in uses.items()},
    )


def _auto(device: str, training: bool) -> str:
    """The engine that "auto" means for a field with a guide of labels, as most models have it."""
    mlp = PixelMlp((2 + 8, 8, 3))
    parameters = torch.zeros(1, mlp.num_parameters, 2, 2, device=device, requires_grad=training)
    field = PixelwiseField(parameters, mlp, cell=4)
    guide = Guide(torch.zeros(1, 8, 8, dtype=torch.long, device=device), num_labels=2, image=None)
    rows, columns = (axis(field, first=0, count=8, scale=1.0, dim=dim) for dim in (0, 1))
    with torch.set_grad_enabled(training):
        return choose("auto", field, guide.at(rows, columns))
