from __future__ import annotations

import pytest
import torch
from torch import nn

from pixelwise.errors import InputError
from pixelwise.layers.imagenet import ImageNetScale, activations
from pixelwise.layers.vgg import VGG16_STAGES, VGG19_STAGES, Stages, vgg_layers


def test_pictures_are_scaled_channel_by_channel() -> None:
    picture = torch.tensor([0.485, 0.456 + 0.224, 0.0]).view(1, 3, 1, 1) * 2 - 1
    scaled = ImageNetScale("a network", 1)(picture).flatten()
    torch.testing.assert_close(scaled, torch.tensor([0.0, 1.0, -0.406 / 0.225]))


def test_grey_becomes_three_channels() -> None:
    assert ImageNetScale("a network", 1)(torch.zeros(2, 1, 4, 5)).shape == (2, 3, 4, 5)


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (1, 3, 8, 7)])
def test_other_pictures_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="a network expects B 1 or 3, at least 8, at least 8"):
        ImageNetScale("a network", 8)(torch.zeros(shape))


def test_activations_come_in_the_layers_order() -> None:
    layers = nn.Sequential(nn.Hardtanh(0, 5), nn.ReLU(), nn.Hardtanh(0, 1))
    found = activations(layers, {2, 0}, torch.tensor([7.0]))
    assert [activation.item() for activation in found] == [5, 1]


@pytest.mark.parametrize(("stages", "num_convolutions", "num_layers"), [(VGG16_STAGES, 13, 30), (VGG19_STAGES, 16, 36)])
def test_vggs_are_as_deep_as_their_names_say_less_the_classifier(
    stages: Stages, num_convolutions: int, num_layers: int
) -> None:
    layers = vgg_layers(stages)
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert (len(convolutions), len(layers)) == (num_convolutions, num_layers)
    # Simonyan and Zisserman, Table 2: 138 and 144 million, of which the classifier has 123.6.
    assert sum(weight.numel() for weight in layers.parameters()) == {13: 14_714_688, 16: 20_024_384}[num_convolutions]
