"""The stream for a GPU against its definition, on a CPU; and that a CUDA graph could capture it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from label_maps import patches
from on_device import NoCopiesFromHost
from torch import Tensor

from pixelwise.labels import one_hot
from pixelwise.lowres import dense
from pixelwise.lowres.dense import DenseReduction, DenseStream
from pixelwise.lowres.reference import LowResolutionStream, StreamConfig, TentReduction

LABELS, PLANES = 5, 2
CONFIG = StreamConfig(
    channels=LABELS + PLANES, reduction=2, strided_reduction=4, width=8, max_width=12, num_blocks=2,
    separable_blocks=False, padding="zeros", norm="instance", num_parameters=21,
)  # fmt: skip
CONFIGS = {
    "instance norm": CONFIG,
    "batch norm, reflected": replace(CONFIG, norm="batch", padding="reflect"),
    "no norm, replicated": replace(CONFIG, norm="none", padding="replicate"),
    "separable": replace(CONFIG, separable_blocks=True),
    "no tent": replace(CONFIG, reduction=1),
    "no strided convolutions": replace(CONFIG, strided_reduction=1),
}


@pytest.fixture(autouse=True)
def _one_thread(seeded: None) -> Iterator[None]:
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def network(config: StreamConfig) -> LowResolutionStream:
    stream = LowResolutionStream(config)
    for module in stream.modules():
        if isinstance(module, torch.nn.InstanceNorm2d | torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1.0, 0.3)
            torch.nn.init.normal_(module.bias, 0.0, 0.3)
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            module.running_mean.normal_()
    return stream.eval()


def inputs(batch: int = 1, height: int = 32, width: int = 48) -> tuple[Tensor, Tensor]:
    return patches((batch, height, width), LABELS, side=3), torch.rand(batch, PLANES, height, width)


def joined(labels: Tensor, planes: Tensor) -> Tensor:
    return torch.cat([one_hot(labels, LABELS), planes], dim=1)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@torch.no_grad()
def test_the_same_parameters(config: StreamConfig, batch: int) -> None:
    stream, (labels, planes) = network(config), inputs(batch)
    scale = torch.rand(config.num_parameters, 1, 1)
    packed = DenseStream(stream, LABELS, scale)
    parameters = packed.parameters(packed.features(labels, planes))
    torch.testing.assert_close(parameters, stream(joined(labels, planes)) * scale, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 6, 32])
@pytest.mark.parametrize("size", [(64, 96), (96, 64)])
@pytest.mark.parametrize("labels_type", [torch.uint8, torch.int64])
@pytest.mark.parametrize("one_hot_bytes", [1, 1 << 20])
def test_the_tent_filter(
    stride: int, size: tuple[int, int], labels_type: torch.dtype, one_hot_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "ONE_HOT_BYTES", one_hot_bytes)
    size = (size[0] // stride * stride, size[1] // stride * stride)
    labels, planes = inputs(2, *size)
    reduced = DenseReduction(stride, LABELS, labels.device, torch.float32)(labels.to(labels_type), planes)
    torch.testing.assert_close(reduced, TentReduction(stride)(joined(labels, planes)), atol=1e-6, rtol=0)
    assert reduced.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("stride", [2, 32, 180])
def test_the_tent_filter_in_float16(stride: int) -> None:
    labels = patches((1, 2 * stride, 3 * stride), LABELS, side=stride)
    reduced = DenseReduction(stride, LABELS, labels.device, torch.float16)(labels, None)
    expected = TentReduction(stride)(one_hot(labels, LABELS))
    torch.testing.assert_close(reduced.float(), expected, atol=1e-3, rtol=0)


def test_labels_or_planes_alone() -> None:
    labels, planes = inputs()
    for num_labels, given in ((LABELS, (labels, None)), (0, (None, planes))):
        reduced = DenseReduction(2, num_labels, planes.device, torch.float32)(*given)
        whole = one_hot(labels, LABELS) if num_labels else planes
        torch.testing.assert_close(reduced, TentReduction(2)(whole), atol=1e-6, rtol=0)


@torch.no_grad()
def test_features_in_bfloat16_are_near() -> None:
    stream, (labels, planes) = network(CONFIG), inputs()
    exact, rounded = (
        DenseStream(stream, LABELS, torch.ones(CONFIG.num_parameters, 1, 1), dtype).features(labels, planes)
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert rounded.dtype == torch.bfloat16
    error = float((rounded - exact).square().mean().sqrt() / exact.square().mean().sqrt())
    assert 1e-4 < error < 0.05


@torch.no_grad()
def test_frozen_statistics_are_those_of_one_input() -> None:
    stream = network(CONFIG)
    packed = DenseStream(stream, LABELS, torch.ones(CONFIG.num_parameters, 1, 1))
    first, other = inputs(), inputs()
    frozen = packed.frozen(stream.reduction(joined(*first)))
    expected = packed.features(*first)
    torch.testing.assert_close(frozen.features(*first), expected, atol=1e-5, rtol=0)
    assert (frozen.features(*other) - packed.features(*other)).abs().max() > 1e-2
    torch.testing.assert_close(packed.features(*first), expected, atol=0, rtol=0)


def test_weights_given_are_left_alone() -> None:
    stream = network(CONFIG)
    before = deepcopy(stream.state_dict())
    packed = DenseStream(stream, LABELS, torch.ones(CONFIG.num_parameters, 1, 1), torch.float16)
    del packed
    for name, tensor in stream.state_dict().items():
        assert torch.equal(tensor, before[name]), name
        assert tensor.dtype == before[name].dtype


def test_a_copy_from_the_host_would_be_seen() -> None:
    x = torch.zeros(3, device="meta")
    for copy in (lambda: torch.ones(3).to(x), lambda: x[torch.arange(2)], lambda: torch.tensor([1, 2], device="meta")):
        with pytest.raises(AssertionError, match="host"), NoCopiesFromHost():
            copy()
    with pytest.raises((RuntimeError, NotImplementedError)):
        x.max().item()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@torch.no_grad()
def test_nothing_waits_for_the_device_or_copies_to_it(config: StreamConfig, dtype: torch.dtype) -> None:
    stream = network(config).to("meta")
    packed = DenseStream(stream, LABELS, torch.ones(config.num_parameters, 1, 1, device="meta"), dtype)
    labels, planes = (part.to("meta") for part in inputs())
    with NoCopiesFromHost():
        parameters = packed.parameters(packed.features(labels, planes))
    cell = config.reduction * config.strided_reduction
    assert parameters.shape == (1, config.num_parameters, 32 // cell, 48 // cell)
    assert parameters.dtype == dtype
    assert parameters.movedim(1, -1).is_contiguous()
