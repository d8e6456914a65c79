"""Captured calls by a stand-in for CUDA graphs: what is captured when, what is copied, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from pixelwise.layers.graphed_call import CALLS_BEFORE_REPLAY, Function, GraphedCall, capture_on_gpu

Log = list[str]


def pretend_capture(function: Function, inputs: Sequence[Tensor]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
    """Runs the function anew on the same memory, as a graph does, which writes to the same memory."""
    outputs = function(*inputs)

    def replay() -> None:
        for output, made in zip(outputs, function(*inputs), strict=True):
            output.copy_(made)

    return replay, outputs


@pytest.fixture
def log() -> Log:
    return []


@pytest.fixture
def doubled(log: Log) -> GraphedCall:
    """Doubles its input, and tells its log of sizes that are prepared and captured."""

    def prepare(x: Tensor) -> Function:
        log.append(f"prepare {len(x)}")
        return lambda x: (2 * x, x.sum())

    def capture(function: Function, inputs: Sequence[Tensor]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
        log.append(f"capture {len(inputs[0])}")
        return pretend_capture(function, inputs)

    return GraphedCall(prepare, capture, most=2)


def test_results_are_those_of_the_function_whether_captured_or_not(doubled: GraphedCall) -> None:
    for start in range(CALLS_BEFORE_REPLAY + 2):
        x = torch.arange(start, start + 3.0)
        twice, total = doubled(x)
        assert twice.tolist() == (2 * x).tolist()
        assert total == x.sum()


def test_a_size_is_captured_when_it_comes_again(doubled: GraphedCall, log: Log) -> None:
    for size in (3, 4, 3, 3, 4):
        doubled(torch.ones(size))
    assert log == ["prepare 3", "prepare 4", "capture 3", "capture 4"]


def test_types_are_told_apart(doubled: GraphedCall) -> None:
    for _ in range(3):
        assert doubled(torch.ones(3, dtype=torch.int64))[0].dtype == torch.int64
        assert doubled(torch.ones(3))[0].dtype == torch.float32


def test_no_call_overwrites_what_another_returned_or_was_given(doubled: GraphedCall) -> None:
    given = [torch.full((3,), float(number)) for number in range(4)]
    returned = [doubled(x)[0] for x in given]
    assert [x.tolist() for x in given] == [[number] * 3 for number in (0.0, 1.0, 2.0, 3.0)]
    assert [x.tolist() for x in returned] == [[number] * 3 for number in (0.0, 2.0, 4.0, 6.0)]


def test_sizes_used_last_are_kept(doubled: GraphedCall, log: Log) -> None:
    for size in (3, 4, 3, 5, 3, 4):
        doubled(torch.ones(size))
    assert log == ["prepare 3", "prepare 4", "capture 3", "prepare 5", "prepare 4"]


def test_a_size_that_fails_is_not_kept(log: Log) -> None:
    def prepare(x: Tensor) -> Function:
        log.append("prepare")
        return lambda x: (x @ torch.ones(3),)

    call = GraphedCall(prepare, pretend_capture)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            call(torch.ones(4))
    assert log == ["prepare", "prepare"]


def test_graphs_outlive_the_mode_in_which_they_were_captured(doubled: GraphedCall) -> None:
    with torch.inference_mode():
        for _ in range(2):
            doubled(torch.ones(3))
    twice, _ = doubled(torch.full((3,), 2.0, requires_grad=True))
    assert not twice.requires_grad
    twice += 1
    assert twice.tolist() == [5, 5, 5]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu() -> None:
    layer = torch.nn.Conv2d(8, 8, 3, padding=1).to("cuda")
    benchmark = torch.backends.cudnn.benchmark
    call = GraphedCall(lambda _: lambda x: (layer(x).relu(),), capture_on_gpu)
    given = [torch.randn(1, 8, 16, 16, device="cuda") for _ in range(5)]
    returned = [call(x)[0] for x in given]
    for x, y in zip(given, returned, strict=True):
        torch.testing.assert_close(y, layer(x).relu(), atol=1e-2, rtol=0)
    assert torch.backends.cudnn.benchmark == benchmark
