import pytest
import torch

from pixelwise.discriminators import PerceptualDiscriminatorConfig, discriminator_of
from pixelwise.discriminators.perceptual import PerceptualDiscriminator
from pixelwise.errors import InputError

CONFIG = PerceptualDiscriminatorConfig(width=4)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (37, 50), (1, 17)])
def test_features_of_each_resolution_and_a_prediction(height: int, width: int) -> None:
    discriminator = discriminator_of(CONFIG, semantic_channels=5, picture_channels=3)
    (outputs,) = discriminator(torch.randn(2, 8, height, width))
    assert [output.shape for output in outputs] == [
        (2, channels, -(-height // reduction), -(-width // reduction))
        for channels, reduction in ((4, 2), (16, 4), (32, 8), (32, 16), (1, 16))
    ]


def test_it_judges_the_picture_alone() -> None:
    discriminator = discriminator_of(CONFIG, semantic_channels=5, picture_channels=3).eval()
    picture = torch.randn(1, 3, 32, 32)
    first, second = (discriminator(torch.cat([torch.randn(1, 5, 32, 32), picture], dim=1))[0] for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
    assert not torch.equal(first[-1], discriminator(torch.randn(1, 8, 32, 32))[0][-1])


def test_gradients_reach_all_weights() -> None:
    discriminator = PerceptualDiscriminator(CONFIG, 0, 3)
    discriminator(torch.randn(2, 3, 32, 32))[0][-1].square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in discriminator.parameters())


def test_too_small_pictures_and_impossible_widths_are_refused() -> None:
    with pytest.raises(InputError, match=r"more than 16 pixels in height or width, got .* \(16, 16\)"):
        PerceptualDiscriminator(CONFIG, 0, 3)(torch.zeros(1, 3, 16, 16))
    with pytest.raises(InputError, match="width is 0, expected an integer of at least 1"):
        PerceptualDiscriminatorConfig(width=0)
