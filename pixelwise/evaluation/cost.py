"""What a model's pictures cost, measured where and how it translates them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial

import torch
from torch import nn

from pixelwise.condition import Condition
from pixelwise.metrics.complexity import Macs, Runtime, count_macs, measure_runtime, num_parameters
from pixelwise.metrics.memory import grown_bytes
from pixelwise.models.fast_asapnet import FastAsapNet
from pixelwise.render.window import covered
from pixelwise.translate import Translator


@dataclass(frozen=True)
class Cost:
    """What one picture costs.

    Attributes:
        parameters: learned numbers.
        macs: multiply-adds, as the model is defined.
        runtime: seconds of one picture at a time.
        low_resolution: the median of the low-resolution stream by itself, up to all parameters of all cells; None for a
            model that has none, or whose streams run as one.
        size: (height, width) of the picture.
        device, dtype: where and in which numbers it was made.
        peak_memory: bytes beyond network, input and output; None where the system does not tell.
    """

    parameters: int
    macs: Macs
    runtime: Runtime
    low_resolution: float | None
    size: tuple[int, int]
    device: str
    dtype: str
    peak_memory: int | None

    def to_json(self) -> dict[str, object]:
        runtime = {
            **asdict(self.runtime),
            "low_resolution": self.low_resolution,
            "size": self.size,
            "device": self.device,
            "dtype": self.dtype,
        }
        return {
            "parameters": self.parameters,
            "macs": asdict(self.macs),
            "runtime": runtime,
            "peak_memory": self.peak_memory,
        }


def cost_of(translator: Translator, condition: Condition, repeats: int = 5) -> Cost:
    """Measures one picture.

    Args:
        translator: the model.
        condition: what it is made of, B = 1.
        repeats: calls that are measured, after one that warms up.
    """
    condition, generator = fitted(translator, condition).to(translator.device), translator.generator
    assert isinstance(generator, nn.Module)
    run = partial(translator.translate, condition)
    return Cost(
        parameters=num_parameters(generator),
        macs=count_macs(generator, condition),
        runtime=measure_runtime(run, repeats, warm_up=1, device=translator.device),
        low_resolution=_low_resolution(translator, condition, repeats),
        size=condition.size,
        device=str(translator.device),
        dtype="float32",
        peak_memory=grown_bytes(run, translator.device),
    )


def fitted(translator: Translator, condition: Condition) -> Condition:
    """The condition as the model reads it: one that restores photos takes any channels for its own."""
    restoration = translator.reader.restoration
    if restoration is None or condition.image is None:
        return condition
    return Condition(image=restoration.fitted(condition.image))


@torch.inference_mode()
def _low_resolution(translator: Translator, condition: Condition, repeats: int) -> float | None:
    fast = translator.ready
    # Where a picture is one CUDA graph, its stream by itself would be another program.
    if not isinstance(fast, FastAsapNet) or (fast.graphed is not None and fast.graphed.takes(condition)):
        return None

    def run() -> None:
        guide, fields = fast.guide_and_fields(condition)
        fields(guide, covered(condition.size), 1.0)

    return measure_runtime(run, repeats, warm_up=1, device=translator.device).median
