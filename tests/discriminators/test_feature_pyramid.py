import json
from dataclasses import asdict

import pytest
import torch
from recorded import TOLERANCE, recorded

from pixelwise.discriminators import discriminator_of
from pixelwise.discriminators.feature_pyramid import FeaturePyramidConfig, FeaturePyramidDiscriminator
from pixelwise.discriminators.patch import MultiscalePatchDiscriminator, PatchDiscriminatorConfig
from pixelwise.discriminators.published_names import adopt_ccfpse
from pixelwise.errors import InputError
from pixelwise.losses.feature_matching import feature_matching

TINY = FeaturePyramidConfig(width=2)


@torch.no_grad()
def test_conformance() -> None:
    arrays, weights = recorded("fpse_disc")
    network = FeaturePyramidDiscriminator(FeaturePyramidConfig(width=4), 6, 3)
    network.load_state_dict(adopt_ccfpse(weights))
    outputs = network.eval()(torch.cat([arrays["in/semantics"], arrays["in/image"]], dim=1))
    predictions = [scale[-1] for scale in outputs]
    features = [feature[:1, :4] for scale in outputs for feature in scale[:-1]]
    found = {f"out/pred_{scale}": prediction for scale, prediction in enumerate(predictions)}
    found |= {f"out/feat_{layer}": feature for layer, feature in enumerate(features)}
    expected = {name: array for name, array in arrays.items() if name.startswith("out/")}
    torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)


def test_shapes_of_features_and_predictions_at_any_size() -> None:
    network = FeaturePyramidDiscriminator(TINY, 4, 3)
    for size in ((64, 96), (37, 50), (8, 33)):
        quarter, eighth, sixteenth, least = [tuple(-(-side // (1 << n)) for side in size) for n in (2, 3, 4, 5)]
        assert [[tuple(output.shape) for output in scale] for scale in network(torch.randn(2, 7, *size))] == [
            [(2, 4, *quarter), (2, 1, *quarter)],
            [(2, 8, *eighth), (2, 1, *eighth)],
            [(2, 16, *sixteenth), (2, 16, *least), (2, 1, *sixteenth)],
        ]


@torch.no_grad()
def test_features_are_of_the_picture_and_predictions_of_both() -> None:
    torch.manual_seed(0)
    network = FeaturePyramidDiscriminator(TINY, 4, 3).eval()
    picture = torch.randn(1, 3, 64, 64)
    one, other = (network(torch.cat([torch.randn(1, 4, 64, 64), picture], dim=1)) for _ in range(2))
    for scale, other_scale in zip(one, other, strict=True):
        torch.testing.assert_close(scale[:-1], other_scale[:-1], rtol=0, atol=0)
        assert not torch.equal(scale[-1], other_scale[-1])


def test_fake_and_real_in_one_training_step_give_finite_gradients() -> None:
    network = FeaturePyramidDiscriminator(TINY, 4, 3)
    fake, real = network(torch.randn(2, 7, 64, 64)), network(torch.randn(2, 7, 64, 64))
    loss = sum(scale[-1].mean() for outputs in (fake, real) for scale in outputs) + feature_matching(fake, real)
    loss.backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_a_single_place_at_the_coarsest_scale_is_refused() -> None:
    with pytest.raises(InputError, match=r"more than 32 pixels in height or width, got .* \(32, 24\)"):
        FeaturePyramidDiscriminator(TINY, 4, 3)(torch.randn(1, 7, 32, 24))


@pytest.mark.parametrize("width", [0, 1.5])
def test_impossible_sizes_are_named(width: float) -> None:
    with pytest.raises(InputError, match=f"width is {width}"):
        FeaturePyramidConfig(width=width)


def test_config_survives_json() -> None:
    assert FeaturePyramidConfig(**json.loads(json.dumps(asdict(TINY)))) == TINY


def test_the_type_of_a_configuration_says_which_discriminator() -> None:
    pyramid = discriminator_of(TINY, semantic_channels=4, picture_channels=3)
    assert isinstance(pyramid, FeaturePyramidDiscriminator)
    assert (pyramid.embedding.in_channels, pyramid.down[0][0].weight_orig.shape[1]) == (4, 3)
    patch = discriminator_of(PatchDiscriminatorConfig(width=2), semantic_channels=4, picture_channels=3)
    assert isinstance(patch, MultiscalePatchDiscriminator)
    assert patch.discriminator_0.model0[0].in_channels == 7


@torch.no_grad()
def test_smaller_pictures_are_not_read() -> None:
    network = FeaturePyramidDiscriminator(TINY, 4, 3).eval()
    large, small = torch.randn(1, 7, 64, 64), torch.randn(1, 7, 32, 32)
    torch.testing.assert_close(network(large, small), network(large), rtol=0, atol=0)
