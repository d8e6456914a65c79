"""The plain path and the engines side by side: first shown to compute the same, then measured in turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch
from torch import Tensor

from pixelwise.bench.graphed_stages import GraphedStages
from pixelwise.bench.laps import Lap, time_laps
from pixelwise.bench.plain import PlainAsapNet
from pixelwise.bench.precision import FP32, Precision
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.graphed_call import CALLS_BEFORE_REPLAY
from pixelwise.metrics.complexity import Runtime, summarise
from pixelwise.models.asapnet import AsapNet
from pixelwise.models.fast_asapnet import FastAsapNet
from pixelwise.render import ENGINES, render
from pixelwise.render.window import covered

PLAIN = "plain"
"""The name of the plain path, where engines have theirs."""

_STAGED_ROUNDS = 3


class Unequal(Exception):
    """An engine's picture is not the plain path's, so that it would be idle to compare their times."""


@dataclass(frozen=True)
class Contestant:
    """One side of the comparison.

    Attributes:
        engine: its name, or ``PLAIN``.
        precision: in which it computes.
        run: translates the condition to B O H W, as users have it.
        run_in_stages: the same, whole at once; calls its lap between the low-resolution stream and the pixels.
    """

    engine: str
    precision: Precision
    run: Callable[[], Tensor]
    run_in_stages: Callable[[Lap], Tensor]


@dataclass(frozen=True)
class Times:
    """What was measured of one contestant, in seconds: the whole run, and the medians of its two stages."""

    whole: Runtime
    stream: float
    pixelwise: float


def enter(
    generator: AsapNet, condition: Condition, engine: str, precisions: Sequence[Precision] = (FP32,)
) -> list[Contestant]:
    """``engine``, or the plain path, at translating ``condition``, in each precision.

    Raises:
        InputError: an engine that cannot do this here.
    """
    if engine == PLAIN:
        plain = PlainAsapNet(generator)
        return [
            Contestant(PLAIN, precision, partial(plain, condition), partial(plain, condition))
            for precision in precisions
        ]
    # The definition computes in what its weights are.
    able = [precision for precision in precisions if engine != "reference" or precision.dtype == torch.float32]
    return [_enter_fast(FastAsapNet(generator, engine, precision.dtype), condition, precision) for precision in able]


def _enter_fast(fast: FastAsapNet, condition: Condition, precision: Precision) -> Contestant:
    cells = 2 * fast.config.cell
    # Engines say what they can't do when they are asked to do it: here of a corner.
    _translate(fast, condition.map_planes(lambda plane: plane[..., :cells, :cells]))
    staged: Callable[[Lap], Tensor] = partial(_translate_in_stages, fast, condition)
    if fast.graphed is not None and fast.graphed.takes(condition):
        staged = GraphedStages(fast.graphed, condition)
    return Contestant(fast.engine, precision, partial(_translate, fast, condition), staged)


@torch.inference_mode()
def _translate(fast: FastAsapNet, condition: Condition) -> Tensor:
    return fast(condition).image


@torch.inference_mode()
def _translate_in_stages(fast: FastAsapNet, condition: Condition, lap: Lap) -> Tensor:
    guide, fields = fast.guide_and_fields(condition)
    field = fields(guide, covered(condition.size), 1.0)
    lap()
    return render(field, guide, fast.engine)


def line_up(
    generator: AsapNet, condition: Condition, engines: Sequence[str], precisions: Sequence[Precision]
) -> tuple[list[Contestant], dict[str, str]]:
    """The plain path in float32, then engines in every precision; and by name, why those that are left out cannot.

    Args:
        generator, condition: what all of them translate.
        engines: names, all of which must be able; empty for all that are.
        precisions: see ``precisions_on``.

    Raises:
        InputError: an engine in ``engines`` that cannot do this here.
    """
    contestants = enter(generator, condition, PLAIN)
    unable: dict[str, str] = {}
    for engine in engines or ENGINES:
        try:
            contestants += enter(generator, condition, engine, precisions)
        except InputError as error:
            if engines:
                raise
            unable[engine] = str(error)
    return contestants, unable


def prove_equal(contestants: Sequence[Contestant], device: torch.device) -> dict[Contestant, float]:
    """Each contestant's error against the first, of whole pictures, in units of [-1, 1].

    Raises:
        Unequal: an error beyond the precision's tolerance, another shape, or values that are not finite.
    """
    plain, *others = contestants
    expected = _picture(plain, device)
    return {plain: 0.0, **{other: _error(other, _picture(other, device), expected) for other in others}}


def _picture(contestant: Contestant, device: torch.device) -> Tensor:
    """As what is timed makes it: on a GPU perhaps the replay of a graph, which comes after calls of another kind."""
    with contestant.precision.active():
        for _ in range(CALLS_BEFORE_REPLAY if device.type == "cuda" else 0):
            contestant.run()
        return contestant.run()


def _error(contestant: Contestant, found: Tensor, expected: Tensor) -> float:
    precision = contestant.precision
    name = f"engine {contestant.engine!r} in {precision.name}"
    if found.shape != expected.shape:
        raise Unequal(f"{name} makes {tuple(found.shape)}, the plain path {tuple(expected.shape)}")
    difference = (found.float() - expected).abs()
    error = float(difference.max() if precision.exact else difference.square().mean().sqrt())
    # Asked this way round, NaN fails too.
    if not error <= precision.tolerance:
        raise Unequal(f"{name} is {error:.3g} off the plain path, at most {precision.tolerance:g} is allowed")
    return error


def measure_in_turns(
    contestants: Sequence[Contestant], repeats: int, warm_up: int, device: torch.device
) -> dict[Contestant, Times]:
    """All contestants one after the other, ``warm_up + repeats`` times over, so that what else the machine does meets
    all of them alike. The first ``warm_up`` rounds don't count. Stages are measured afterwards, in rounds of their own.
    """

    def rounds(count: int, run: Callable[[Contestant, Lap], object]) -> dict[Contestant, list[list[float]]]:
        laps: dict[Contestant, list[list[float]]] = {contestant: [] for contestant in contestants}
        for _ in range(count):
            for contestant in contestants:
                with contestant.precision.active():
                    laps[contestant].append(time_laps(partial(run, contestant), device))
        return laps

    whole = rounds(warm_up + repeats, lambda contestant, lap: contestant.run())
    unmeasured = min(warm_up, CALLS_BEFORE_REPLAY)
    staged = rounds(unmeasured + min(repeats, _STAGED_ROUNDS), lambda contestant, lap: contestant.run_in_stages(lap))
    return {
        contestant: Times(
            summarise([seconds for (seconds,) in whole[contestant][warm_up:]]),
            *(median(stage) for stage in zip(*staged[contestant][unmeasured:], strict=True)),
        )
        for contestant in contestants
    }
