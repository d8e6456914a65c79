"""Blurs by their response to a single bright pixel, and by what they do beyond borders."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pixelwise.condition import Condition, PairedSample
from pixelwise.data.augment import Augment
from pixelwise.data.blur import GaussianBlur, MotionBlur, convolved
from pixelwise.data.degrade import Chain, Degrade, GaussianNoise
from pixelwise.errors import InputError

SIDE = 41
BLURS = {
    "gaussian": GaussianBlur(0.5, 3),
    "motion": MotionBlur(0, 15),
    "shake": MotionBlur(5, 15, highest_angle=360, shake=180),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def response(blur: Degrade, count: int = 1) -> Tensor:
    """What becomes of one bright pixel in the middle, B SIDE SIDE."""
    image = torch.zeros(count, 1, SIDE, SIDE)
    image[..., SIDE // 2, SIDE // 2] = 1
    return blur(image, generator())[:, 0]


def moments(spread: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (down, right) from the middle, and covariance, of weights H W that sum to 1."""
    places = torch.cartesian_prod(*[torch.arange(SIDE) - SIDE // 2.0] * 2)
    mean = spread.flatten() @ places
    return mean, (places - mean).T @ ((places - mean) * spread.reshape(-1, 1))


@pytest.mark.parametrize("name", BLURS)
def test_a_pixel_is_spread_about_its_place_and_nothing_is_lost(name: str) -> None:
    blur = BLURS[name]
    spread = response(blur, 20)
    torch.testing.assert_close(spread.sum(dim=(1, 2)), torch.ones(20))
    assert spread.min() >= 0
    for one in spread:
        assert moments(one)[0].abs().max() < 1e-3
    outside = spread.clone()
    middle = slice(SIDE // 2 - blur.reach, SIDE // 2 + blur.reach + 1)
    outside[:, middle, middle] = 0
    assert outside.abs().max() == 0


@pytest.mark.parametrize("name", BLURS)
def test_every_image_has_a_blur_of_its_own_and_flat_ones_stay_flat(name: str) -> None:
    spread = response(BLURS[name], 4)
    assert all(not torch.allclose(spread[0], other, atol=1e-3) for other in spread[1:])
    flat = torch.full((2, 3, 9, 12), 0.3)
    torch.testing.assert_close(BLURS[name](flat, generator()), flat)


def test_the_generator_decides_and_nothing_else() -> None:
    for blur in BLURS.values():
        torch.manual_seed(1)
        first = response(blur)
        torch.manual_seed(2)
        assert torch.equal(first, response(blur))


@pytest.mark.parametrize("deviation", [1.0, 1.6, 3.0])
def test_gaussians_have_their_deviation(deviation: float) -> None:
    _, covariance = moments(response(GaussianBlur(deviation, deviation))[0])
    torch.testing.assert_close(covariance, deviation**2 * torch.eye(2), atol=4e-3 * deviation**2, rtol=0)


@pytest.mark.parametrize("length", [5.0, 9.0, 14.0])
@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0])
def test_lines_have_their_length_and_angle(length: float, angle: float) -> None:
    """Evenly spread over L, a line has a variance of L^2 / 12; sharing it out to pixels adds at most 1/4."""
    _, covariance = moments(response(MotionBlur(length, length, angle, angle))[0])
    radians = math.radians(angle)
    along, across = (
        torch.tensor([-math.sin(radians), math.cos(radians)]),
        torch.tensor([math.cos(radians), math.sin(radians)]),
    )
    assert 0 <= along @ covariance @ along - length**2 / 12 < 0.25
    assert across @ covariance @ across < 0.25
    assert abs(float(along @ covariance @ across)) < 0.1


def test_a_line_of_four_pixels_to_the_right() -> None:
    """Its places run from -2 to 2: half a pixel's time at either end, a whole one's between."""
    row = response(MotionBlur(4, 4, 0, 0))[0, SIDE // 2, SIDE // 2 - 3 : SIDE // 2 + 4]
    torch.testing.assert_close(row, torch.tensor([0, 0.5, 1, 1, 1, 0.5, 0]) / 4, atol=1e-3, rtol=0)


def test_angles_are_anticlockwise() -> None:
    spread = response(MotionBlur(12, 12, 45, 45))[0]
    up_right, down_right = spread[SIDE // 2 - 3, SIDE // 2 + 3], spread[SIDE // 2 + 3, SIDE // 2 + 3]
    assert up_right > 0.05
    assert down_right == 0


def test_no_motion_changes_nothing() -> None:
    image = torch.randn(2, 3, 8, 9, generator=generator())
    torch.testing.assert_close(MotionBlur(0, 0)(image, generator()), image)


def test_shaking_bends_the_way_and_keeps_its_length() -> None:
    straight, shaken = MotionBlur(12, 12), MotionBlur(12, 12, shake=180)
    paths = shaken.paths(50, generator())
    lengths = paths.diff(dim=1).norm(dim=-1).sum(1)
    torch.testing.assert_close(lengths, torch.full((50,), 12 * 255 / 256))
    ends = (paths[:, -1] - paths[:, 0]).norm(dim=-1)
    assert ends.max() < 12
    assert ends.mean() < 10
    ends = straight.paths(1, generator())
    assert (ends[:, -1] - ends[:, 0]).norm() == pytest.approx(12 * 255 / 256, rel=1e-4)


def test_responses_are_the_kernel_and_not_its_mirror_image() -> None:
    kernel = torch.arange(6.0).view(1, 2, 3).expand(2, -1, -1)
    kernel = torch.nn.functional.pad(kernel, (0, 0, 0, 1))
    image = torch.zeros(2, 1, 7, 7)
    image[..., 3, 3] = 1
    assert torch.equal(convolved(image, kernel)[:, 0, 2:5, 2:5], kernel)


def test_beyond_its_border_a_picture_repeats_its_outermost_pixels() -> None:
    image = torch.tensor([1.0, 0, 0, 0]).expand(1, 1, 1, 4)
    mean_of_three = torch.full((1, 1, 3), 1 / 3)
    torch.testing.assert_close(convolved(image, mean_of_three)[0, 0, 0], torch.tensor([2 / 3, 1 / 3, 0, 0]))


def test_pictures_may_be_smaller_than_the_blur() -> None:
    assert MotionBlur(15, 15)(torch.zeros(1, 3, 2, 3), generator()).shape == (1, 3, 2, 3)


def test_a_chain_reaches_as_far_as_its_links_together() -> None:
    blur, noise = GaussianBlur(2, 2), GaussianNoise(25, 25)
    assert blur.reach == 8
    assert Chain((blur, noise, blur)).reach == 16
    noisy = Chain((blur, noise))(torch.zeros(1, 1, 64, 64), generator())
    assert noisy.std().item() == pytest.approx(25 * 2 / 255, rel=0.05)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("name", BLURS)
def test_training_crops_what_whole_pictures_would_show(name: str, flip: bool) -> None:
    """A crop's blur is made of the pixels around it, and only the picture's border is one."""
    blur, picture = BLURS[name], torch.randn(1, 1, 40, 44, generator=generator())
    sample = PairedSample(Condition(image=torch.zeros_like(picture)), picture, ("a",))
    for seed in range(8):
        augment = Augment(crop=(24, 24), flip=flip, degrade=blur)
        part = augment(sample, generator(seed))
        wholes = [blur(whole, _at_the_blur(augment, seed)) for whole in (picture, picture.flip(-1))]
        windows = [whole.unfold(2, 24, 1).unfold(3, 24, 1) for whole in wholes]
        apart = [(window - part.condition.image[:, :, None, None]).abs().amax(dim=(-2, -1)).min() for window in windows]
        assert min(apart) < 1e-5


def _at_the_blur(augment: Augment, seed: int) -> torch.Generator:
    """The random numbers that are left when a crop's blur is drawn."""
    random = generator(seed)
    for count in (17, 21, *([2] if augment.flip else [])):
        torch.randint(count, (), generator=random)
    return random


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianBlur(0, 1), "0 < lowest <= highest, got 0 and 1"),
        (lambda: GaussianBlur(2, 1), "got 2 and 1"),
        (lambda: MotionBlur(-1, 5), "0 <= shortest <= longest, got -1 and 5"),
        (lambda: MotionBlur(6, 5), "got 6 and 5"),
        (lambda: MotionBlur(1, 5, 90, 0), "lowest_angle <= highest_angle"),
        (lambda: MotionBlur(1, 5, shake=-1), "shake >= 0"),
        (lambda: MotionBlur(1, math.inf), "shortest <= longest"),
    ],
)
def test_blurs_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
