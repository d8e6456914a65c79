"""ASAP-Net: conformance with recorded arrays of the reference implementation, sizes, options."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from default_type import by_default
from recorded import RECORDED_CONFIGS, TOLERANCE, Arrays, recorded, recorded_condition

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.lowres.reference import TentReduction
from pixelwise.models.asapnet import FAMILY, PUBLISHED, AsapNet, AsapNetConfig
from pixelwise.models.family import config_from_json, config_to_json
from pixelwise.render import render

TINY = AsapNetConfig(
    num_labels=4,
    out_channels=3,
    cell=8,
    learned_reduction=4,
    width=4,
    max_width=8,
    num_blocks=1,
    mlp_width=6,
    mlp_depth=3,
)
RECORDED = {name: RECORDED_CONFIGS[name] for name in ("asapnet", "asapnet_reflect")}


def adopted(name: str) -> tuple[Arrays, AsapNet]:
    arrays, weights = recorded(name)
    generator = adopt("asapnet", weights, RECORDED[name])
    assert isinstance(generator, AsapNet)
    return arrays, generator


def label_condition(*shape: int, num_labels: int = 4) -> Condition:
    return Condition(labels=torch.randint(num_labels, shape))


@pytest.mark.parametrize("name", RECORDED)
@torch.no_grad()
def test_conformance(name: str) -> None:
    arrays, generator = adopted(name)
    translation = generator(recorded_condition(arrays))
    assert translation.field is not None
    torch.testing.assert_close(translation.image, arrays["out/image"], atol=TOLERANCE, rtol=0)
    parameters = translation.field.parameters
    torch.testing.assert_close(parameters[:1, :, ::5, ::5], arrays["out/lr_params_sub"], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(parameters.mean(dim=(2, 3)), arrays["out/lr_params_mean"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", RECORDED)
@torch.no_grad()
def test_reduction_conforms(name: str) -> None:
    arrays, generator = adopted(name)
    reduced = generator.stream.reduction(arrays["in/x"])  # type: ignore[operator, union-attr]
    torch.testing.assert_close(reduced[:1, :, 3:5], arrays["out/lowres_input_row3"], atol=1e-5, rtol=0)


def test_tent_reduction_keeps_constants_and_sizes() -> None:
    for stride in (1, 2, 4, 6):
        reduced = TentReduction(stride)(torch.full((1, 2, 24, 48), 0.7))
        torch.testing.assert_close(reduced, torch.full((1, 2, 24 // stride, 48 // stride), 0.7))


@pytest.mark.parametrize(
    ("name", "cell"),
    [("facades512", 32), ("facades1024", 64), ("cityscapes256x512", 16), ("cityscapes512x1024", 32)],
)
def test_published_configurations(name: str, cell: int) -> None:
    published = PUBLISHED[name]
    config = published.config
    assert isinstance(config, AsapNetConfig)
    assert config.cell == cell
    # Sec. 3.2: the grid has 16 rows at the size of training.
    assert published.size[0] // config.cell == 16
    with torch.device("meta"):
        weights = dict(AsapNet(config).state_dict())
    assert weights["stream.to_parameters.weight"].shape == (config.mlp.num_parameters, 1024, 1, 1)


@pytest.mark.parametrize("change", [
    {}, {"pixel_code": False}, {"constant_mlp": True}, {"bilinear": True}, {"neighbourhood": 3}, {"tanh": False},
    {"out_channels": 1}, {"out_channels": 5}, {"padding": "reflect"}, {"padding": "replicate"}, {"norm": "batch"},
    {"norm": "none"}, {"scaled_parameters": True}, {"cell": 4}, {"cell": 16}, {"cell": 2}, {"mlp_depth": 1},
    {"cell": 1, "learned_reduction": 1, "scaled_parameters": True},
])  # fmt: skip
def test_options_give_pictures_and_finite_gradients(change: dict[str, Any]) -> None:
    torch.manual_seed(0)
    generator = AsapNet(replace(TINY, **change))
    for size in ((32, 48), (29, 35)):
        translation = generator(label_condition(2, *size))
        assert translation.image.shape == (2, generator.config.out_channels, *size)
        translation.image.square().mean().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@torch.no_grad()
def test_image_instances_and_residual() -> None:
    condition = Condition(image=torch.rand(1, 3, 20, 30), instances=torch.randint(9, (1, 20, 30)))
    config = replace(TINY, num_labels=0, image_channels=3, instance_edges=True, edges_in_mlp=True, residual=True)
    generator = AsapNet(config)
    assert generator(condition).image.shape == (1, 3, 20, 30)
    for parameter in generator.parameters():
        parameter.zero_()
    torch.testing.assert_close(generator(condition).image, condition.image)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (8, 8), (9, 64), (63, 17)])
@torch.no_grad()
def test_any_size_equals_the_padded_size_cropped(size: tuple[int, int]) -> None:
    generator = AsapNet(TINY).eval()
    condition = label_condition(1, *size)
    whole = generator(condition.padded(8, minimum=16)).image
    torch.testing.assert_close(generator(condition).image, whole[:, :, : size[0], : size[1]])


@torch.no_grad()
def test_an_earlier_size_leaves_no_trace() -> None:
    generator = AsapNet(TINY).eval()
    condition = label_condition(1, 24, 40)
    before = generator(condition).image
    generator(label_condition(3, 50, 16))
    torch.testing.assert_close(generator(condition).image, before, atol=0, rtol=0)


@torch.no_grad()
def test_without_pixel_code_a_uniform_cell_is_uniform() -> None:
    generator = AsapNet(replace(TINY, pixel_code=False)).eval()
    cell = generator(Condition(labels=torch.zeros(1, 16, 16, dtype=torch.int32))).image[0, :, :8, :8].flatten(1)
    torch.testing.assert_close(cell, cell[:, :1].expand_as(cell))


@torch.no_grad()
def test_a_constant_mlp_looks_at_its_pixel_alone() -> None:
    generator = AsapNet(replace(TINY, constant_mlp=True)).eval()
    condition = label_condition(1, 16, 16)
    assert condition.labels is not None
    changed = condition.labels.clone()
    changed[0, 3, 5] = (changed[0, 3, 5] + 1) % 4
    differs = (generator(condition).image != generator(Condition(labels=changed)).image).any(dim=1)
    assert differs.nonzero().tolist() == [[0, 3, 5]]


def test_the_tent_is_exact_whatever_torchs_default_type() -> None:
    with by_default(torch.float16):
        taps = TentReduction(6).get_buffer("taps")
    torch.testing.assert_close(taps.double() * 72, torch.tensor([1, 3, 5, 7, 9, 11, 11, 9, 7, 5, 3, 1]).double())


def test_scaled_parameters_divide_weights_by_fan_in_and_frequency() -> None:
    mlp = TINY.mlp
    scale = AsapNet(replace(TINY, scaled_parameters=True)).get_buffer("parameter_scale").flatten()
    for layer, (bias, weight) in enumerate(mlp.layers(scale)):
        # Four labels, then four waves each of the periods 8, 4 and 2.
        frequencies = torch.tensor([1.0] * 8 + [2.0] * 4 + [4.0] * 4) if layer == 0 else torch.ones(len(weight))
        assert (bias == 1).all()
        expected = 1 / (len(weight) ** 0.5 * frequencies)
        torch.testing.assert_close(weight, expected[:, None].expand_as(weight))


@pytest.mark.parametrize("config", [TINY, *RECORDED.values(), *(p.config for p in PUBLISHED.values())])
def test_config_round_trips_through_json(config: AsapNetConfig) -> None:
    assert config_from_json(FAMILY, json.loads(json.dumps(config_to_json(config)))) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": 0}, "cell must be at least 1"),
        ({"cell": 12}, "an even multiple"),
        ({"learned_reduction": 6, "cell": 12}, "a power of two"),
        ({"unshuffle": 2}, "not for labels"),
        ({"unshuffle": 3, "num_labels": 0, "image_channels": 1}, "unshuffle must divide the cell"),
        ({"padding": "mirror"}, "padding one of"),
        ({"norm": "layer"}, "norm must be one of"),
        ({"neighbourhood": 2}, "odd"),
        ({"residual": True}, "as many output channels"),
        ({"passes": 0}, "passes must be at least 1"),
        ({"passes": 2}, "several passes need as many output channels"),
    ],
)
def test_refuses_impossible_configurations(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(TINY, **change)


@torch.no_grad()
def test_a_second_pass_reads_what_the_first_one_made() -> None:
    torch.manual_seed(0)
    config = replace(TINY, num_labels=0, image_channels=3, neighbourhood=3, passes=2)
    network = AsapNet(config).eval()
    condition = Condition(image=torch.rand(1, 3, 16, 24))
    field = network.field(condition)
    assert field.num_passes == 2
    assert field.parameters.shape[1] == 2 * config.mlp.num_parameters
    once = render(field.of_pass(0), network.guide(condition))
    twice = render(field.of_pass(1), network.guide(Condition(image=once)))
    torch.testing.assert_close(network(condition).image, twice, atol=0, rtol=0)
    assert (once - twice).abs().max() > 0.01


def test_refuses_conditions_that_lack_something() -> None:
    with pytest.raises(InputError, match="a label map of 4 classes"):
        AsapNet(TINY)(Condition(image=torch.zeros(1, 3, 16, 16)))
    with pytest.raises(InputError, match="an instance map"):
        AsapNet(replace(TINY, instance_edges=True))(label_condition(1, 16, 16))
    with pytest.raises(InputError, match="3 channels is needed, the condition has 4"):
        AsapNet(replace(TINY, num_labels=0, image_channels=3))(Condition(image=torch.zeros(1, 4, 16, 16)))
    with pytest.raises(InputError, match=r"expected 0\.\.3"):
        AsapNet(TINY)(label_condition(1, 16, 16, num_labels=9))


def test_adopt_refuses_weights_of_another_shape() -> None:
    _, weights = recorded("asapnet")
    with pytest.raises(InputError, match="6 convolutions, the configuration 5"):
        adopt("asapnet", weights, replace(RECORDED["asapnet"], num_blocks=1))
    with pytest.raises(InputError, match="of another shape"):
        adopt("asapnet", weights, replace(RECORDED["asapnet"], num_labels=9))
    with pytest.raises(InputError, match="missing"):
        adopt("asapnet", {k: v for k, v in weights.items() if not k.endswith("bias")}, RECORDED["asapnet"])
