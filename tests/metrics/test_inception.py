"""Inception without its weights: sizes, names and arithmetic are the published ones, reductions what they say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pixelwise.errors import InputError
from pixelwise.metrics import inception
from pixelwise.metrics.complexity import num_parameters
from pixelwise.metrics.inception import (
    REDUCTIONS,
    InceptionFeatures,
    InceptionV3,
    bicubic_with_antialiasing,
    bilinear_without_antialiasing,
    load_inception,
)
from pixelwise.published_weights import PublishedWeights


@pytest.fixture(scope="module")
def network() -> InceptionV3:
    torch.manual_seed(0)
    network = InceptionV3()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return network


@pytest.fixture(scope="module")
def levels() -> Tensor:
    """Whole numbers 0..255, larger than what the network reads on one side and smaller on the other."""
    return torch.randint(0, 256, (1, 3, 700, 200), generator=torch.Generator().manual_seed(1)).float()


def test_it_has_the_published_number_of_parameters(network: InceptionV3) -> None:
    classifier = 2048 * 1008 + 1008
    assert num_parameters(network) == 21_785_568 == 23_850_960 - classifier
    assert sum(isinstance(module, nn.Conv2d) for module in network.modules()) == 94


def test_it_has_the_published_number_of_multiply_adds() -> None:
    with torch.device("meta"):
        network, picture = InceptionV3(), torch.empty(1, 3, 299, 299)
    with FlopCounterMode(display=False) as counter:
        network(picture)
    # torchvision states 5.71 GFLOPS with a classifier of 2 million.
    assert counter.get_total_flops() / 2 / 1e9 == pytest.approx(5.71, abs=0.005)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Conv2d_1a_3x3.conv.weight", (32, 3, 3, 3)),
        ("Conv2d_4a_3x3.bn.running_var", (192,)),
        ("Mixed_5b.branch5x5_2.conv.weight", (64, 48, 5, 5)),
        ("Mixed_5d.branch_pool.conv.weight", (64, 288, 1, 1)),
        ("Mixed_6a.branch3x3.conv.weight", (384, 288, 3, 3)),
        ("Mixed_6c.branch7x7dbl_4.conv.weight", (160, 160, 7, 1)),
        ("Mixed_7a.branch7x7x3_4.conv.weight", (192, 192, 3, 3)),
        ("Mixed_7c.branch3x3_2b.conv.weight", (384, 384, 3, 1)),
        ("Mixed_7c.branch3x3dbl_3a.conv.weight", (384, 384, 1, 3)),
        ("Mixed_7c.branch1x1.conv.weight", (320, 2048, 1, 1)),
    ],
)
def test_names_and_shapes_are_the_published_ones(network: InceptionV3, name: str, shape: tuple[int, ...]) -> None:
    assert tuple(network.state_dict()[name].shape) == shape


def test_a_file_as_it_is_published_gives_the_same_features(
    network: InceptionV3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "inception.pth"
    weights = {name: weight for name, weight in network.state_dict().items() if "num_batches" not in name}
    torch.save({**weights, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, "WEIGHTS", PublishedWeights("Inception v3 (FID)", "file:", digits))
    pictures = torch.rand(1, 3, 64, 80) * 2 - 1
    loaded = load_inception(bicubic_with_antialiasing, path)
    expected = InceptionFeatures(network, bicubic_with_antialiasing)(pictures)
    torch.testing.assert_close(loaded(pictures), expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


def test_features_are_2048_a_picture_and_do_not_depend_on_the_batch(network: InceptionV3) -> None:
    features = InceptionFeatures(network, bilinear_without_antialiasing)
    pictures = torch.rand(2, 1, 40, 30) * 2 - 1
    found = features(pictures)
    assert found.shape == (2, 2048)
    assert not found.requires_grad
    torch.testing.assert_close(features(pictures[1:].expand(-1, 3, -1, -1)), found[1:], rtol=1e-4, atol=1e-4)


def test_pictures_are_rounded_to_8_bits_and_clipped() -> None:
    features = InceptionFeatures(nn.Flatten(), lambda levels: levels)
    picture = torch.tensor([-3.0, -1.0, -0.9999, 0.0, 1 / 255, 0.9999, 7.0]).view(1, 1, 1, 7)
    assert features(picture)[0].tolist() == 3 * [0, 0, 0, 128, 128, 255, 255]


def test_other_channels_are_refused(network: InceptionV3) -> None:
    with pytest.raises(InputError, match="Inception expects B 1 or 3 H W"):
        InceptionFeatures(network, bicubic_with_antialiasing)(torch.zeros(1, 4, 8, 8))


def test_the_published_reduction_looks_at_four_pixels(levels: Tensor) -> None:
    reduced = bilinear_without_antialiasing(levels)
    assert reduced.shape == (1, 3, 299, 299)
    y, x = (150 + 0.5) * 700 / 299 - 0.5, (20 + 0.5) * 200 / 299 - 0.5
    top, left = int(y), int(x)
    four = levels[0, 1, top : top + 2, left : left + 2].numpy()
    value = np.array([top + 1 - y, y - top]) @ four @ np.array([left + 1 - x, x - left])
    assert reduced[0, 1, 150, 20].item() == pytest.approx(value / 127.5 - 1, abs=1e-5)


def test_the_clean_reduction_is_pillows(levels: Tensor) -> None:
    reduced = bicubic_with_antialiasing(levels)
    for channel, plane in enumerate(levels[0].numpy()):
        pillows = np.asarray(Image.fromarray(plane).resize((299, 299), Image.Resampling.BICUBIC))
        expected = (pillows.clip(0, 255) - 128) / 128
        np.testing.assert_allclose(reduced[0, channel].numpy(), expected, atol=1e-5)


def test_reductions_differ_by_more_than_their_scale(levels: Tensor) -> None:
    grey_levels = [(REDUCTIONS["published"](levels) + 1) * 127.5, REDUCTIONS["clean"](levels) * 128 + 128]
    assert F.l1_loss(*grey_levels).item() > 10
