from __future__ import annotations

import pytest
import torch
from torch import nn

from pixelwise.errors import InputError
from pixelwise.metrics.layer_features import LayerFeatures
from pixelwise.models.pix2pix import Pix2Pix, Pix2PixConfig


@pytest.fixture(scope="module")
def segmenter() -> Pix2Pix:
    torch.manual_seed(0)
    config = Pix2PixConfig(
        image_channels=3, out_channels=5, width=4, num_downsamplings=5, batch_statistics=False, dropout=0.0, tanh=False
    )
    return Pix2Pix(config).eval()


def test_the_narrowest_place_of_a_segmenter(segmenter: Pix2Pix) -> None:
    pictures = torch.rand(3, 3, 64, 96) * 2 - 1
    features = LayerFeatures(segmenter, "network.up.4.0")(pictures)
    x = pictures
    for down in segmenter.network.down:
        x = down(x)
    assert x.shape[2:] == (2, 3)
    torch.testing.assert_close(features, x.relu().mean(dim=(2, 3)))


def test_a_picture_has_the_same_features_alone_and_no_hook_is_left(segmenter: Pix2Pix) -> None:
    features = LayerFeatures(segmenter, "network.up.4.0")
    pictures = torch.rand(2, 3, 50, 40) * 2 - 1
    torch.testing.assert_close(features(pictures[:1]), features(pictures)[:1])
    assert not any(module._forward_hooks for module in segmenter.modules())


def test_any_network_may_be_shown_pictures_its_own_way() -> None:
    network = nn.Sequential(nn.Identity(), nn.AvgPool2d(2))
    features = LayerFeatures(network, "1", run=lambda pictures: network(pictures * 2))
    pictures = torch.rand(2, 3, 4, 6)
    torch.testing.assert_close(features(pictures), pictures.mean(dim=(2, 3)) * 2)


def test_a_layer_that_is_not_there_is_refused(segmenter: Pix2Pix) -> None:
    with pytest.raises(InputError, match=r"Pix2Pix has no layer 'network.middle'; the last .*network\.up\.4\.2"):
        LayerFeatures(segmenter, "network.middle")


@pytest.mark.parametrize("network", [nn.Sequential(nn.Flatten()), nn.Sequential(twice := nn.Identity(), twice)])
def test_outputs_that_are_no_planes_or_more_than_one_are_refused(network: nn.Module) -> None:
    with pytest.raises(InputError, match="layer 0: expected one output B D h w for 2 pictures"):
        LayerFeatures(network, "0", run=network)(torch.zeros(2, 3, 4, 4))
