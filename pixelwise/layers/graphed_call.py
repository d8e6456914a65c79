"""Functions of tensors replayed as CUDA graphs: what the host tells the device is told once for each size of input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]
"""From tensors to tensors, all on one device. What is captured neither waits for it nor copies to it."""

Capture = Callable[[Function, Sequence[Tensor]], tuple[Callable[[], None], tuple[Tensor, ...]]]
"""From a function and its inputs to what runs it anew on whatever these hold then, and the outputs that this writes."""

CALLS_BEFORE_REPLAY = 2
"""The first call of a size just runs, since most sizes never come again; the second one captures."""

_WARM_UP = 3
"""Runs before a capture, in which libraries allocate what they keep and choose their algorithms."""


class GraphedCall:
    """A function of tensors, captured when a size of input comes for the second time and replayed from then on.

    Nothing that it returns is overwritten by a later call: it is copied out of the graph's memory, as inputs are copied
    into it. What torch is told apart from inputs, such as whether products may be in TF32, holds as it was when a size
    was captured. One call at a time.

    Args:
        prepare: from inputs to a function of inputs of the same sizes, types and device. What it copies to the device
            beforehand is kept for as long as the graph is.
        capture: how.
        most: sizes that are kept, those that were used last; each holds the memory of all that it computes.
    """

    def __init__(self, prepare: Callable[..., Function], capture: Capture, most: int = 4) -> None:
        self._prepare, self._capture, self._most = prepare, capture, most
        self._calls: dict[tuple[object, ...], Function] = {}

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What the function makes of these inputs, without gradients. Raises what ``prepare`` and the function do."""
        key = tuple((tensor.shape, tensor.dtype, tensor.device) for tensor in inputs)
        # Memory that was made in inference mode could not be written to outside of it.
        with torch.inference_mode(False), torch.no_grad():
            call = self._calls.get(key)
            if call is None:
                call = self._prepare(*inputs)
            elif not isinstance(call, _Graph):
                call = _Graph(call, inputs, self._capture)
            outputs = call(*inputs)
        self._calls.pop(key, None)
        self._calls[key] = call
        if len(self._calls) > self._most:
            del self._calls[next(iter(self._calls))]
        return outputs


class _Graph:
    """A function captured for inputs of one size."""

    def __init__(self, function: Function, inputs: Sequence[Tensor], capture: Capture) -> None:
        # What it holds on the device is read by the graph.
        self._function = function
        self._inputs = [tensor.clone() for tensor in inputs]
        self._replay, self._outputs = capture(function, self._inputs)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        for static, given in zip(self._inputs, inputs, strict=True):
            static.copy_(given)
        self._replay()
        return tuple(output.clone() for output in self._outputs)


def capture_on_gpu(function: Function, inputs: Sequence[Tensor]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
    """Captures ``function`` in a CUDA graph, which reads ``inputs`` and writes the outputs whenever it is replayed."""
    graph = torch.cuda.CUDAGraph()
    benchmark = torch.backends.cudnn.benchmark
    with torch.cuda.device(inputs[0].device):
        try:
            # Sizes are as they will be at every replay: it is worth while to try which convolution is fastest.
            torch.backends.cudnn.benchmark = True
            _warm_up(function, inputs)
            # Other threads may read and write files meanwhile, and talk to the device: that is no part of the capture.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                outputs = function(*inputs)
        finally:
            torch.backends.cudnn.benchmark = benchmark
    return graph.replay, outputs


def _warm_up(function: Function, inputs: Sequence[Tensor]) -> None:
    """On a stream beside the current one, as captures must be."""
    current, side = torch.cuda.current_stream(), torch.cuda.Stream()
    side.wait_stream(current)
    with torch.cuda.stream(side):
        for _ in range(_WARM_UP):
            function(*inputs)
    current.wait_stream(side)
