"""A picture by two CUDA graphs instead of one, so that its stages can be timed apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from pixelwise.bench.laps import Lap
from pixelwise.condition import Condition
from pixelwise.layers.graphed_call import Capture, Function, GraphedCall, capture_on_gpu
from pixelwise.models.graphed_asapnet import GraphedAsapNet, PictureFunction


class GraphedStages:
    """The low-resolution stream in one graph, the pixels in another.

    Args:
        graphed: the network.
        condition: what it translates.
        capture: see ``GraphedCall``.
    """

    def __init__(self, graphed: GraphedAsapNet, condition: Condition, capture: Capture = capture_on_gpu) -> None:
        self._parts = graphed.parts(condition)
        self._stream = GraphedCall(partial(_prepare_stream, graphed.prepare), capture)
        self._pixels = GraphedCall(partial(_prepare_pixels, graphed.prepare), capture)

    def __call__(self, lap: Lap) -> Tensor:
        """B O H W; calls ``lap`` between the low-resolution stream and the pixels."""
        (parameters,) = self._stream(*self._parts)
        lap()
        (image,) = self._pixels(parameters, *self._parts)
        return image


def _prepare_stream(prepare: Callable[..., PictureFunction], *parts: Tensor) -> Function:
    picture = prepare(*parts)
    return lambda *parts: (picture.parameters(*parts),)


def _prepare_pixels(prepare: Callable[..., PictureFunction], _: Tensor, *parts: Tensor) -> Function:
    picture = prepare(*parts)
    return lambda parameters, *parts: (picture.pixels(parameters, *parts),)
