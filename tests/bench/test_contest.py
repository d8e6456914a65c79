"""Nothing is timed that was not shown equal, and all sides are timed alike."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pixelwise.bench.contest import (
    PLAIN,
    Contestant,
    Unequal,
    enter,
    line_up,
    measure_in_turns,
    prove_equal,
)
from pixelwise.bench.laps import Lap, time_laps
from pixelwise.bench.precision import FP32, PRECISIONS, precisions_on
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import random_network
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.metrics.complexity import CPU
from pixelwise.models.asapnet import AsapNet, AsapNetConfig
from pixelwise.render import ENGINES
from pixelwise.render.engine import Engine
from pixelwise.render.reference import render_reference

CONFIG = AsapNetConfig(
    num_labels=5, out_channels=3, cell=8, width=8, max_width=16, num_blocks=2, mlp_width=16, mlp_depth=3
)


@pytest.fixture(scope="module")
def network() -> AsapNet:
    return random_network(CONFIG)


@pytest.fixture(scope="module")
def condition() -> Condition:
    return draw_condition(CONFIG, (40, 24))


def add_engine(monkeypatch: pytest.MonkeyPatch, name: str, spoil: Callable[[Tensor], Tensor]) -> None:
    def render(*arguments: object) -> Tensor:
        return spoil(render_reference(*arguments))  # type: ignore[arg-type]

    monkeypatch.setitem(ENGINES, name, Engine(render))  # type: ignore[arg-type]


def test_every_engine_that_can_run_is_equal(network: AsapNet, condition: Condition) -> None:
    contestants, unable = line_up(network, condition, (), [FP32])
    assert [side.engine for side in contestants] == [PLAIN, *(name for name in ENGINES if name not in unable)]
    errors = prove_equal(contestants, CPU)
    assert set(errors) == set(contestants)
    assert max(errors.values()) < 1e-4


SPOILT: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "a little": (lambda image: image + 2e-4, r"0\.0002\d* off the plain path, at most 0\.0001"),
    "one pixel": (lambda image: image.index_fill(-1, torch.tensor([3]), 1.5), "off the plain path"),
    "not a number": (lambda image: image * float("nan"), "nan off the plain path"),
    "too small": (lambda image: image[..., 1:], r"makes \(1, 3, 40, 23\), the plain path \(1, 3, 40, 24\)"),
}


@pytest.mark.parametrize(("spoil", "text"), SPOILT.values(), ids=SPOILT)
def test_an_engine_that_is_wrong_is_refused(
    network: AsapNet,
    condition: Condition,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Tensor], Tensor],
    text: str,
) -> None:
    add_engine(monkeypatch, "wrong", spoil)
    contestants, _ = line_up(network, condition, ["reference", "wrong"], [FP32])
    with pytest.raises(Unequal, match=f"engine 'wrong' in fp32 .*{text}"):
        prove_equal(contestants, CPU)


def test_half_precision_is_judged_by_its_mean_square(network: AsapNet, condition: Condition) -> None:
    (plain,) = enter(network, condition, PLAIN)
    rounded = replace(plain, engine="rounded", precision=PRECISIONS["bf16"], run=lambda: plain.run().bfloat16())
    error = prove_equal([plain, rounded], CPU)[rounded]
    assert 1e-4 < error < PRECISIONS["bf16"].tolerance


def test_the_definition_enters_in_the_type_of_its_weights_only(network: AsapNet, condition: Condition) -> None:
    entrants = enter(network, condition, "reference", tuple(PRECISIONS.values()))
    assert [entrant.precision.name for entrant in entrants] == ["fp32", "tf32"]


def test_an_engine_that_cannot_is_left_out_with_the_reason_unless_it_was_named(
    network: AsapNet, condition: Condition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "absent", Engine(render_reference, missing=lambda: "no moonlight"))  # type: ignore[arg-type]
    unfit = Engine(render_reference, unfit=lambda field, features: "too square")
    monkeypatch.setitem(ENGINES, "unfit", unfit)  # type: ignore[arg-type]
    contestants, unable = line_up(network, condition, (), [FP32])
    assert not {"absent", "unfit"} & {side.engine for side in contestants}
    assert "no moonlight" in unable["absent"]
    assert "too square" in unable["unfit"]
    for name in ("absent", "unfit", "unheard-of"):
        with pytest.raises(InputError, match=name):
            line_up(network, condition, ["reference", name], [FP32])


def test_all_take_turns_and_warm_up_does_not_count() -> None:
    order: list[str] = []

    def entrant(name: str) -> Contestant:
        def run() -> Tensor:
            order.append(name)
            return torch.zeros(1)

        def run_in_stages(lap: Lap) -> Tensor:
            order.append(f"{name} in stages")
            lap()
            return torch.zeros(1)

        return Contestant(name, FP32, run, run_in_stages)

    sides = [entrant("a"), entrant("b")]
    times = measure_in_turns(sides, repeats=2, warm_up=1, device=CPU)
    assert order == ["a", "b"] * 3 + ["a in stages", "b in stages"] * 3
    for side in sides:
        assert times[side].whole.repeats == 2
        assert 0 < times[side].whole.lower_quartile <= times[side].whole.median <= times[side].whole.upper_quartile
        assert times[side].stream > 0
        assert times[side].pixelwise > 0


def test_laps_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.0, 17.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    assert time_laps(lambda lap: lap(), CPU) == [2.0, 5.0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_every_engine_is_equal_in_every_precision(network: AsapNet, condition: Condition) -> None:
    device = torch.device("cuda")
    contestants, _ = line_up(copy.deepcopy(network).to(device), condition.to(device), (), precisions_on(device))
    assert len(contestants) > len(PRECISIONS)
    prove_equal(contestants, device)
    for times in measure_in_turns(contestants, repeats=2, warm_up=1, device=device).values():
        assert times.whole.median > 0
