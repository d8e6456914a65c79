"""Whole pictures by captured calls, against the network; on a CPU with a stand-in for CUDA graphs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from on_device import NoCopiesFromHost
from torch import Tensor

from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import random_network
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.graphed_call import CALLS_BEFORE_REPLAY, Function
from pixelwise.lowres.dense import DenseStream
from pixelwise.models import graphed_asapnet
from pixelwise.models.asapnet import CHEAPER_STREAMS, AsapNet, AsapNetConfig
from pixelwise.models.fast_asapnet import FastAsapNet
from pixelwise.models.graphed_asapnet import GraphedAsapNet, can_graph
from pixelwise.render import PixelwiseField
from pixelwise.render.axis import Axis
from pixelwise.render.guide import Features
from pixelwise.render.reference import render_reference

needs_device = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

LABELS = AsapNetConfig(
    num_labels=5, out_channels=3, cell=8, width=8, max_width=16, num_blocks=2, mlp_width=12, mlp_depth=3
)
CONFIGS = {
    "labels": LABELS,
    "bilinear, scaled": replace(LABELS, bilinear=True, scaled_parameters=True),
    "reduced first": replace(LABELS, cell=16, learned_reduction=4),
    "everything": replace(LABELS, instance_edges=True, edges_in_mlp=True, image_channels=3, residual=True),
    "image only": replace(LABELS, num_labels=0, image_channels=2),
    "unshuffled": replace(LABELS, num_labels=0, image_channels=2, unshuffle=8),
    **{name: replace(LABELS, **change) for name, change in CHEAPER_STREAMS.items()},  # type: ignore[arg-type]
}


def pretend_capture(function: Function, inputs: Sequence[Tensor]) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
    outputs = function(*inputs)

    def replay() -> None:
        for output, made in zip(outputs, function(*inputs), strict=True):
            output.copy_(made)

    return replay, outputs


def prepare_reference(
    field: PixelwiseField, features: Features, rows: Axis, columns: Axis, device: torch.device
) -> Callable[[Tensor, Features], Tensor]:
    return lambda parameters, features: render_reference(replace(field, parameters=parameters), features, rows, columns)


def graphed(generator: AsapNet) -> GraphedAsapNet:
    return GraphedAsapNet(generator, stream_of(generator), pretend_capture, prepare_reference)


def stream_of(generator: AsapNet, dtype: torch.dtype = torch.float32) -> DenseStream:
    scale = generator.get_buffer("parameter_scale")
    return DenseStream(generator.stream, generator.config.num_labels, scale, dtype)  # type: ignore[arg-type]


def scenes(config: AsapNetConfig, size: tuple[int, int]) -> list[Condition]:
    return [draw_condition(config, size, seed) for seed in range(CALLS_BEFORE_REPLAY + 2)]


@pytest.mark.parametrize("size", [(32, 48), (37, 21), (5, 3)])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@torch.inference_mode()
def test_pictures_are_the_networks(config: AsapNetConfig, size: tuple[int, int]) -> None:
    generator = random_network(config)
    call = graphed(generator)
    for condition in scenes(config, size):
        assert call.takes(condition)
        torch.testing.assert_close(call(condition), generator(condition).image, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_batches() -> None:
    generator = random_network(LABELS)
    labels = torch.cat([condition.labels for condition in scenes(LABELS, (16, 24)) if condition.labels is not None])
    condition = Condition(labels=labels.int())
    torch.testing.assert_close(graphed(generator)(condition), generator(condition).image, atol=1e-4, rtol=0)


def test_labels_beyond_the_classes_are_refused_whether_captured_or_not() -> None:
    call = graphed(random_network(LABELS))
    right = draw_condition(LABELS, (16, 16))
    for wrong in (5, 300, -1):
        for _ in range(CALLS_BEFORE_REPLAY + 1):
            with pytest.raises(InputError, match=r"labels run from .*, expected 0\.\.4"):
                call(Condition(labels=torch.full((1, 16, 16), wrong).triu()))
    assert call(right).isfinite().all()


def test_what_it_does_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    call = graphed(random_network(CONFIGS["everything"]))
    condition = draw_condition(CONFIGS["everything"], (16, 16))
    assert call.takes(condition)
    assert not call.takes(replace(condition, instances=None))
    monkeypatch.setattr(graphed_asapnet, "MOST_PIXELS", 255)
    assert not call.takes(condition)
    monkeypatch.undo()
    monkeypatch.setattr(graphed_asapnet, "PARAMETER_BYTES", 16 * CONFIGS["everything"].mlp.num_parameters - 1)
    assert not call.takes(condition)


def test_labels_that_are_no_indices_are_refused() -> None:
    call = graphed(random_network(LABELS))
    with pytest.raises(InputError, match=r"labels are torch\.float32, expected class indices"):
        call(Condition(labels=torch.full((1, 16, 16), 1.5)))


def test_an_image_of_other_channels_is_refused() -> None:
    call = graphed(random_network(CONFIGS["image only"]))
    with pytest.raises(InputError, match="an image of 2 channels is needed, the condition has 3"):
        call(Condition(image=torch.zeros(1, 3, 16, 16)))


@pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@torch.no_grad()
def test_nothing_captured_waits_for_the_device_or_copies_to_it(
    config: AsapNetConfig, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelwise.render.gpu.launch._launch", lambda *arguments: None)
    generator = random_network(config).to("meta")
    call = GraphedAsapNet(generator, stream_of(generator, dtype), pretend_capture)
    parts = call.parts(draw_condition(config, (37, 21)).to("meta"))
    picture = call.prepare(*parts)
    with NoCopiesFromHost():
        image, *_ = picture(*parts)
    assert image.shape == (1, 3, 37, 21)
    assert image.dtype == (torch.float32 if config.residual else dtype)


def test_networks_on_a_cpu_are_not_captured() -> None:
    generator = random_network(LABELS)
    assert not can_graph(generator, torch.float32)
    assert FastAsapNet(generator).graphed is None


@pytest.mark.gpu
@needs_device
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float16, 2e-2), (torch.bfloat16, 1e-1)])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@torch.inference_mode()
def test_on_a_gpu_pictures_are_the_networks(config: AsapNetConfig, dtype: torch.dtype, tolerance: float) -> None:
    generator = random_network(config)
    fast = FastAsapNet(copy.deepcopy(generator).to("cuda"), "gpu", dtype)
    assert fast.graphed is not None
    for size in ((64, 96), (37, 21)):
        for condition in scenes(config, size):
            found = fast(condition.to("cuda")).image.float().cpu()
            error = (found - generator(condition).image).square().mean().sqrt()
            assert error < tolerance


@pytest.mark.gpu
@needs_device
@torch.inference_mode()
def test_on_a_gpu_parts_and_scales_are_not_captured() -> None:
    from pixelwise.render import Window

    generator = random_network(LABELS)
    fast = FastAsapNet(copy.deepcopy(generator).to("cuda"))
    condition = draw_condition(LABELS, (37, 21))
    window = Window(3, 4, 20, 10)
    expected = FastAsapNet(generator)(condition, window, 1.5).image
    found = fast(condition.to("cuda"), window, 1.5).image.cpu()
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
