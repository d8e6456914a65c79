"""The plain path is the network's definition: held equal to ``AsapNet.forward``."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pixelwise.bench.plain import PlainAsapNet
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import random_network
from pixelwise.errors import InputError
from pixelwise.models.asapnet import AsapNetConfig

TINY = {
    "num_labels": 5, "out_channels": 3, "cell": 8, "width": 8, "max_width": 16, "num_blocks": 2, "mlp_width": 16,
    "mlp_depth": 3,
}  # fmt: skip

VARIANTS: dict[str, dict[str, Any]] = {
    "nearest": {},
    "instance edges in the stream": {"instance_edges": True},
    "instance edges in the MLPs too": {"instance_edges": True, "edges_in_mlp": True},
    "tent reduction": {"cell": 16, "learned_reduction": 4},
    "bilinear": {"bilinear": True},
    "bilinear, cells of two pixels": {"bilinear": True, "cell": 2},
    "bilinear, scaled parameters, batch norm": {"bilinear": True, "scaled_parameters": True, "norm": "batch"},
    "an image and its residual": {"num_labels": 0, "image_channels": 3, "residual": True},
    "an unshuffled image": {"num_labels": 0, "image_channels": 3, "unshuffle": 4, "learned_reduction": 1},
    "a neighbourhood of labels and image": {"image_channels": 2, "neighbourhood": 3},
    "no code, no tanh": {"pixel_code": False, "tanh": False},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("size", [(32, 48), (37, 21)])
def test_it_computes_what_the_network_is_defined_to(variant: dict[str, Any], size: tuple[int, int]) -> None:
    network = random_network(AsapNetConfig(**{**TINY, **variant}))
    condition = draw_condition(network.config, size)
    with torch.inference_mode():
        expected = network(condition)
    torch.testing.assert_close(PlainAsapNet(network)(condition), expected.image, rtol=0, atol=1e-5)
    found, field = PlainAsapNet(network).field(condition).parameters, expected.field
    assert field is not None
    torch.testing.assert_close(found, field.parameters, rtol=0, atol=1e-5)


def test_the_lap_comes_once_between_the_streams() -> None:
    network = random_network(AsapNetConfig(**TINY))
    laps: list[str] = []
    PlainAsapNet(network)(draw_condition(network.config, (16, 16)), lambda: laps.append("stream"))
    assert laps == ["stream"]


def test_a_network_without_a_stream_cannot_be_measured() -> None:
    with pytest.raises(InputError, match="constant MLP"):
        PlainAsapNet(random_network(AsapNetConfig(**TINY, constant_mlp=True)))
