import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise.discriminators.patch import PIX2PIX, PIX2PIX_HD, MultiscalePatchDiscriminator, PatchDiscriminatorConfig
from pixelwise.errors import InputError

GOLDEN = Path(__file__).parents[1] / "golden"

Arrays = dict[str, torch.Tensor]


def published(name: str) -> tuple[MultiscalePatchDiscriminator, Arrays]:
    """The discriminator of a conformance file with its weights, and the file's inputs and outputs."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        options = json.loads(str(file["config"]))["options"]
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
    weights = {key.removeprefix("sd/"): value for key, value in arrays.items() if key.startswith("sd/")}
    config = PatchDiscriminatorConfig(options["num_D"], options["n_layers_D"], options["ndf"])
    network = MultiscalePatchDiscriminator(config, weights["discriminator_0.model0.0.weight"].shape[1])
    network.load_state_dict(weights)
    return network, arrays


def test_every_output_agrees_with_the_original() -> None:
    network, arrays = published("spade_disc")
    outputs = network.eval()(torch.cat([arrays["in/semantics"], arrays["in/image"]], dim=1))
    compared = []
    for scale, layers in enumerate(outputs):
        for layer, output in enumerate(layers):
            stored = output if layer == len(layers) - 1 else output[:1, :4, ::2, ::2]
            torch.testing.assert_close(stored, arrays[f"out/{scale}_{layer}"], rtol=0, atol=2e-4)
            compared.append(f"out/{scale}_{layer}")
    assert sorted(compared) == sorted(key for key in arrays if key.startswith("out/"))


@pytest.mark.parametrize(("num_layers", "millions"), [(4, 2.765), (3, 0.662)])
def test_pix2pix_has_the_published_number_of_parameters(num_layers: int, millions: float) -> None:
    """What junyanz/pytorch-CycleGAN-and-pix2pix prints for pictures of one channel, see its issue 1152."""
    network = MultiscalePatchDiscriminator(replace(PIX2PIX, num_layers=num_layers), in_channels=2)
    assert round(sum(weight.numel() for weight in network.parameters()) / 1e6, 3) == millions


@torch.no_grad()
def test_pix2pix_judges_patches_of_70_pixels() -> None:
    """What one output sees: where the input may change without changing it."""
    network = MultiscalePatchDiscriminator(replace(PIX2PIX, width=4), in_channels=1).eval()
    picture = torch.randn(1, 1, 160, 160, generator=torch.Generator().manual_seed(0))
    with torch.enable_grad():
        network(picture.requires_grad_())[0][-1][0, 0, 9, 9].backward()
    assert picture.grad is not None
    rows = picture.grad[0, 0].any(dim=1).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 70


def test_weights_start_as_published() -> None:
    layer = MultiscalePatchDiscriminator(PIX2PIX_HD, in_channels=3).get_parameter("discriminator_0.model2.0.0.weight")
    assert layer.std().item() == pytest.approx(0.02, rel=0.02)


def test_power_iteration_of_a_training_step_agrees_with_the_original() -> None:
    network, arrays = published("spade_disc_trainstep")
    prediction = network.train()(arrays["in/x"])[0][-1]
    torch.testing.assert_close(prediction, arrays["out/prediction"], rtol=0, atol=2e-4)
    after = {key.removeprefix("out/after/"): value for key, value in arrays.items() if key.startswith("out/after/")}
    assert len(after) == 4
    buffers = dict(network.named_buffers())
    torch.testing.assert_close({name: buffers[name] for name in after}, after, rtol=0, atol=1e-5)


def test_shapes_of_features_and_predictions() -> None:
    config = PatchDiscriminatorConfig(num_scales=3, num_layers=3, width=4, max_width=8)
    outputs = MultiscalePatchDiscriminator(config, in_channels=5)(torch.randn(2, 5, 40, 64))
    assert [[tuple(output.shape) for output in scale] for scale in outputs] == [
        [(2, 4, 21, 33), (2, 8, 11, 17), (2, 8, 12, 18), (2, 1, 13, 19)],
        [(2, 4, 11, 17), (2, 8, 6, 9), (2, 8, 7, 10), (2, 1, 8, 11)],
        [(2, 4, 6, 9), (2, 8, 4, 5), (2, 8, 5, 6), (2, 1, 6, 7)],
    ]


def test_scales_judge_the_pictures_of_their_sizes_where_there_are_any() -> None:
    network = MultiscalePatchDiscriminator(PatchDiscriminatorConfig(num_scales=3, num_layers=2, width=4), 2).eval()
    large, half, quarter = (torch.randn(1, 2, side, side) for side in (32, 16, 8))
    own, reduced = network(large, half, quarter), network(large)
    torch.testing.assert_close(own[0], reduced[0])
    assert [len(scale) for scale in own] == [len(scale) for scale in reduced]
    torch.testing.assert_close(own[1], network.discriminator_1(half))
    torch.testing.assert_close(own[2], network.discriminator_2(quarter))
    # Where none is left, the scale before is reduced: the same as for a network that begins there.
    torch.testing.assert_close(network(large, half)[2], network(half, half)[2])
    assert not torch.equal(network(large, half)[2][-1], own[2][-1])


@pytest.mark.parametrize("config", [PIX2PIX, replace(PIX2PIX, num_layers=1), replace(PIX2PIX, num_layers=2)])
def test_pictures_that_nothing_is_left_of_are_refused(config: PatchDiscriminatorConfig) -> None:
    network = MultiscalePatchDiscriminator(replace(config, width=2, num_scales=2), 1)
    side = config.min_side
    assert network(torch.randn(2, 1, 2 * side, 2 * side))[1][-1].shape[-2:] == (1, 1)
    with pytest.raises(InputError, match=rf"discriminator 1 needs .* {side} pixels .* got .* \({side - 1}, {side}\)"):
        network(torch.randn(2, 1, 2 * side - 2, 2 * side))


def test_one_layer_is_a_patch_of_its_own() -> None:
    network = MultiscalePatchDiscriminator(PatchDiscriminatorConfig(num_scales=1, num_layers=1, width=4), 3)
    assert [tuple(output.shape) for output in network(torch.randn(1, 3, 16, 16))[0]] == [(1, 4, 9, 9), (1, 1, 10, 10)]


def test_fake_and_real_in_one_training_step_give_finite_gradients() -> None:
    network = MultiscalePatchDiscriminator(PatchDiscriminatorConfig(width=4), in_channels=3)
    fake, real = network(torch.randn(2, 3, 32, 32)), network(torch.randn(2, 3, 32, 32))
    sum(output.mean() for outputs in (fake, real) for scale in outputs for output in scale).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_features_are_those_that_the_next_layer_read() -> None:
    torch.manual_seed(0)
    network = MultiscalePatchDiscriminator(PatchDiscriminatorConfig(num_scales=1, width=4), in_channels=3).eval()
    layers = list(next(network.children()).children())
    outputs = network(torch.randn(1, 3, 32, 32))[0]
    for layer, read, given in zip(layers[1:], outputs, outputs[1:], strict=False):
        torch.testing.assert_close(layer(read), given)


def test_published_size_has_the_published_number_of_parameters() -> None:
    network = MultiscalePatchDiscriminator(PatchDiscriminatorConfig(), in_channels=39)
    convolutions = [(39, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    expected = sum(16 * before * after for before, after in convolutions) + 64 + 1
    assert sum(weight.numel() for weight in network.parameters()) == 2 * expected


def test_config_survives_json() -> None:
    config = PatchDiscriminatorConfig(num_scales=3, width=32)
    assert PatchDiscriminatorConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize("config", [PIX2PIX, PIX2PIX_HD], ids=["pix2pix", "pix2pixhd"])
def test_gradients_reach_all_weights_without_spectral_norm(config: PatchDiscriminatorConfig) -> None:
    network = MultiscalePatchDiscriminator(replace(config, width=4), in_channels=3)
    outputs = network(torch.randn(2, 3, 48, 32))
    sum(output.square().mean() for scale in outputs for output in scale).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_unknown_norms_are_named() -> None:
    with pytest.raises(InputError, match="norm is 'none', expected one of batch, instance"):
        PatchDiscriminatorConfig(norm="none")


@pytest.mark.parametrize(("field", "value"), [("num_scales", 0), ("width", 1.5), ("max_width", -4), ("num_layers", 0)])
def test_impossible_sizes_are_named(field: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"{field} is {value}"):
        PatchDiscriminatorConfig(**{field: value})
