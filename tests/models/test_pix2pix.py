from dataclasses import replace
from typing import Any

import pytest
import torch
from full_size import gmacs_with_zeros, millions_and_gmacs
from gradients import assert_reached, awake
from recorded import RECORDED_CONFIGS, TOLERANCE, recorded

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models.family import Published
from pixelwise.models.pix2pix import PUBLISHED, Pix2Pix, Pix2PixConfig
from pixelwise.models.pix2pix import adopt as renamed

RGB = Pix2PixConfig(image_channels=3, out_channels=3)
RECORDED = RECORDED_CONFIGS["pix2pix_unet"]
U_NET = replace(RGB, width=2, num_downsamplings=6)
RESIDUAL = replace(RGB, width=2, num_downsamplings=2, num_blocks=2)
QUIET: dict[str, Any] = {"dropout_at_test": False}
PICTURES = torch.linspace(-9, 9, 2 * 3 * 64 * 64).sin().view(2, 3, 64, 64)


@torch.no_grad()
def test_conformance() -> None:
    arrays, weights = recorded("pix2pix_unet")
    image = adopt("pix2pix", weights, RECORDED)(Condition(image=arrays["in/x"])).image
    torch.testing.assert_close(image, arrays["out/image"], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_conformance_with_the_statistics_of_the_batch() -> None:
    arrays, weights = recorded("pix2pix_unet")
    generator = adopt("pix2pix", weights, replace(RECORDED, batch_statistics=True, dropout=0.0))
    image = generator.train()(Condition(image=arrays["in/x"])).image
    torch.testing.assert_close(image, arrays["out/image_batchstats"], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_at_test_time_statistics_are_those_of_a_batch_of_one() -> None:
    generator = Pix2Pix(replace(U_NET, dropout=0.0))
    both = generator.eval()(Condition(image=PICTURES)).image
    single = [generator.train()(Condition(image=picture[None])).image for picture in PICTURES]
    torch.testing.assert_close(both, torch.cat(single), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("num_downsamplings", "millions"),
    [(8, 54.408), (6, 29.238)],
)
def test_has_the_parameters_of_the_published_u_net(num_downsamplings: int, millions: float) -> None:
    """What junyanz/pytorch-CycleGAN-and-pix2pix prints for pictures of one channel, see its issue 1152."""
    config = replace(RGB, image_channels=1, out_channels=1, num_downsamplings=num_downsamplings)
    with torch.device("meta"):
        parameters = Pix2Pix(config).parameters()
    assert round(sum(weight.numel() for weight in parameters) / 1e6, 3) == millions


def test_residual_network_costs_what_is_published() -> None:
    """Li et al., GAN Compression, CVPR 2020, Table 1: 11.4 M and 56.8 G at 256 x 256. It counts zeros too, where 49.6 G
    are computed."""
    resnet = replace(RGB, num_downsamplings=2, num_blocks=9, norm="instance", dropout=0.0)
    published = Published(resnet, (256, 256), "", "")
    millions, gmacs = millions_and_gmacs(published, Pix2Pix)
    assert (millions, gmacs_with_zeros(published, Pix2Pix)) == pytest.approx((11.4, 56.8), rel=0.01)
    assert gmacs == pytest.approx(49.6, rel=0.01)


@pytest.mark.parametrize("config", [U_NET, RESIDUAL], ids=["u-net", "residual"])
@torch.no_grad()
def test_any_size_even_after_another(config: Pix2PixConfig) -> None:
    generator = Pix2Pix(replace(config, **QUIET)).eval()
    condition = Condition(image=PICTURES)
    first = generator(condition).image
    for height, width in ((37, 50), (1, 1), (64, 3)):
        picture = PICTURES[:, :, :height, :width]
        assert generator(Condition(image=picture)).image.shape == picture.shape
    assert torch.equal(generator(condition).image, first)


@torch.no_grad()
@pytest.mark.parametrize("config", [U_NET, RESIDUAL])
@torch.no_grad()
def test_logits_are_what_tanh_would_have_bounded(config: Pix2PixConfig) -> None:
    config = replace(config, dropout=0.0)
    bounded, free = Pix2Pix(config).eval(), Pix2Pix(replace(config, tanh=False)).eval()
    free.load_state_dict(bounded.state_dict())
    logits = free(Condition(image=100 * PICTURES)).image
    assert logits.abs().max() > 1e-3
    torch.testing.assert_close(logits.tanh(), bounded(Condition(image=100 * PICTURES)).image)


def test_sizes_are_padded_by_repeating_the_border() -> None:
    generator = Pix2Pix(replace(U_NET, **QUIET)).eval()
    condition = Condition(image=PICTURES[:, :, :37, :50])
    whole = generator(condition.padded(64)).image
    torch.testing.assert_close(generator(condition).image, whole[:, :, :37, :50])


@pytest.mark.parametrize("config", [U_NET, RESIDUAL], ids=["u-net", "residual"])
@torch.no_grad()
def test_dropout_is_noise_at_test_time_too_unless_it_is_not_wanted(config: Pix2PixConfig) -> None:
    for at_test in (True, False):
        generator = Pix2Pix(replace(config, dropout_at_test=at_test)).eval()
        twice = [generator(Condition(image=PICTURES)).image for _ in range(2)]
        assert torch.equal(*twice) != at_test


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("config", [U_NET, RESIDUAL], ids=["u-net", "residual"])
def test_gradients_reach_all_weights(config: Pix2PixConfig, norm: str) -> None:
    torch.manual_seed(0)
    generator = awake(Pix2Pix(replace(config, norm=norm)))
    generator(Condition(image=PICTURES)).image.square().sum().backward()
    assert_reached(generator)


@torch.no_grad()
def test_reads_labels_and_edges_too() -> None:
    generator = Pix2Pix(replace(RESIDUAL, num_labels=4, instance_edges=True)).eval()
    labels = torch.arange(4).repeat(2, 40, 12)
    image = generator(Condition(labels=labels, instances=labels, image=PICTURES[:, :, :40, :48])).image
    assert image.shape == (2, 3, 40, 48)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize(("norm", "keeps"), [("batch", True), ("batch", False), ("instance", False)])
def test_adopts_residual_networks(norm: str, keeps: bool, dropout: float) -> None:
    """No recorded arrays are at hand: the published names, told by the places of the modules in their sequence."""
    config = replace(RESIDUAL, norm=norm, batch_statistics=not keeps, dropout=dropout)
    generator = Pix2Pix(config)
    sequence = ["pad", "7", "norm", "relu", *["3", "norm", "relu"] * 2, "block", "block"]
    sequence += [*["3", "norm", "relu"] * 2, "pad", "7", "tanh"]
    block = ["pad", "3", "norm", "relu", *(["dropout"] if dropout else []), "pad", "3", "norm"]
    names = [f"model.{place}" for place, kind in enumerate(sequence) if kind in "7 3"]
    names[3:3] = [
        f"model.{outer}.conv_block.{place}"
        for outer, outer_kind in enumerate(sequence)
        for place, kind in enumerate(block)
        if outer_kind == "block" and kind == "3"
    ]
    theirs = {f"{name}.weight" for name in names}
    ours = {name for name, tensor in generator.state_dict().items() if tensor.ndim == 4}
    assert set(renamed({name: torch.empty(0) for name in theirs}, config)) == ours
    # Of the norm after the first convolution, whose statistics old versions of torch kept in any case.
    statistics = {"model.2.running_mean": torch.zeros(2)}
    assert list(renamed(statistics, config)) == (["network.trunk.entry.1.running_mean"] if keeps else [])


def test_published_configurations_are_the_256_u_net() -> None:
    assert {*PUBLISHED} == {"facades", "cityscapes", "maps", "maps_to_photo"}
    for published in PUBLISHED.values():
        with torch.device("meta"):
            generator = Pix2Pix(published.config)  # type: ignore[arg-type]
        assert generator.size_multiple == 256 == published.size[0]
        assert generator.network.down[-1][1].weight.shape == (512, 512, 4, 4)  # type: ignore[index, union-attr]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"num_downsamplings": 1}, "num_downsamplings must be at least 2, got 1"),
        ({"num_blocks": -1}, "num_blocks must be at least 0"),
        ({"norm": "layer"}, r"norm must be one of \('batch', 'instance'\), .* got 'layer'"),
        ({"dropout": 1.0}, r"dropout in \[0, 1\), got 'batch' and 1.0"),
    ],
)
def test_refuses_impossible_configurations(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(U_NET, **change)


def test_refuses_what_is_missing_or_does_not_fit() -> None:
    with pytest.raises(InputError, match="an image of 3 channels is needed"):
        Pix2Pix(U_NET)(Condition(labels=torch.zeros(1, 64, 64, dtype=torch.int64)))
    _, weights = recorded("pix2pix_unet")
    with pytest.raises(InputError, match="the weights do not fit the configuration"):
        adopt("pix2pix", weights, replace(RECORDED, num_downsamplings=8))
