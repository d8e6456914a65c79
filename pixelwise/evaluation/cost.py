"""What a model's pictures cost, measured where and how it translates them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial

from torch import nn

from pixelwise.condition import Condition
from pixelwise.metrics.complexity import Macs, Runtime, count_macs, measure_runtime, num_parameters
from pixelwise.metrics.memory import grown_bytes
from pixelwise.translate import Translator


@dataclass(frozen=True)
class Cost:
    """What one picture costs.

    Attributes:
        parameters: learned numbers.
        macs: multiply-adds, as the model is defined.
        runtime: seconds of one picture at a time.
        size: (height, width) of the picture.
        device, dtype: where and in which numbers it was made.
        peak_memory: bytes beyond network, input and output; None where the system does not tell.
    """

    parameters: int
    macs: Macs
    runtime: Runtime
    size: tuple[int, int]
    device: str
    dtype: str
    peak_memory: int | None

    def to_json(self) -> dict[str, object]:
        runtime = {**asdict(self.runtime), "size": self.size, "device": self.device, "dtype": self.dtype}
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
    restoration = translator.reader.restoration
    if restoration is not None and condition.image is not None:
        condition = Condition(image=restoration.fitted(condition.image))
    condition, generator = condition.to(translator.device), translator.generator
    assert isinstance(generator, nn.Module)
    run = partial(translator.translate, condition)
    return Cost(
        parameters=num_parameters(generator),
        macs=count_macs(generator, condition),
        runtime=measure_runtime(run, repeats, warm_up=1, device=translator.device),
        size=condition.size,
        device=str(translator.device),
        dtype="float32",
        peak_memory=grown_bytes(run, translator.device),
    )
