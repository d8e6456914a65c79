"""Stages that are captured apart make the picture that is captured as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pixelwise.bench.graphed_stages import GraphedStages
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import random_network
from pixelwise.layers.graphed_call import CALLS_BEFORE_REPLAY, Function
from pixelwise.lowres.dense import DenseStream
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.graphed_asapnet import GraphedAsapNet
from pixelwise.render.reference import render_reference

CONFIG = AsapNetConfig(
    num_labels=5, instance_edges=True, out_channels=3, cell=8, width=8, max_width=16, num_blocks=2, mlp_width=12
)


@torch.inference_mode()
def test_the_same_picture_with_a_lap_between_its_stages() -> None:
    network, condition = random_network(CONFIG), draw_condition(CONFIG, (24, 40))
    stream = DenseStream(network.stream, 5, network.get_buffer("parameter_scale"))  # type: ignore[arg-type]
    graphed = GraphedAsapNet(
        network,
        stream,
        rendering=lambda field, features, rows, columns, device: (
            lambda parameters, features: render_reference(
                replace(field, parameters=parameters), features, rows, columns
            )
        ),
    )
    captured: list[int] = []

    def capture(function: Function, inputs: Sequence[Tensor]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
        captured.append(len(inputs))
        return lambda: None, function(*inputs)

    stages, laps = GraphedStages(graphed, condition, capture), []
    for _ in range(CALLS_BEFORE_REPLAY + 1):
        torch.testing.assert_close(stages(lambda: laps.append(1)), network(condition).image, atol=1e-4, rtol=0)
    assert len(laps) == CALLS_BEFORE_REPLAY + 1
    assert captured == [2, 3]
