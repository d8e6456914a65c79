from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelwise.condition import Condition, PairedSample
from pixelwise.data.augment import Augment, scaled
from pixelwise.data.degrade import GaussianNoise
from pixelwise.errors import InputError

sides = st.integers(4, 24)


def coordinates(height: int, width: int) -> PairedSample:
    """A sample whose every part says at each pixel where that pixel once was."""
    places = torch.arange(height * width, dtype=torch.int32).reshape(1, height, width)
    picture = places[:, None].float()
    condition = Condition(labels=places, instances=places, image=picture, style=torch.zeros(1, 3, 5, 5))
    return PairedSample(condition, picture.clone(), ("a",))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(height=sides, width=sides, crop=st.tuples(st.integers(1, 4), st.integers(1, 4)), seed=st.integers(0, 999))
@settings(max_examples=50)
def test_all_parts_stay_aligned(height: int, width: int, crop: tuple[int, int], seed: int):
    sample = Augment(crop=crop, flip=True)(coordinates(height, width), generator(seed))
    assert sample.condition.size == crop
    assert torch.equal(sample.condition.labels, sample.condition.instances)
    assert torch.equal(sample.condition.labels[:, None].float(), sample.condition.image)
    assert torch.equal(sample.condition.image, sample.target)
    assert sample.condition.style.shape == (1, 3, 5, 5)


@given(height=sides, width=sides, size=st.tuples(sides, sides))
@settings(max_examples=50)
def test_scaling_labels_invents_no_class(height: int, width: int, size: tuple[int, int]):
    labels = torch.randint(0, 3, (1, height, width), generator=generator(), dtype=torch.int32) * 5
    sample = scaled(PairedSample(Condition(labels=labels), torch.zeros(1, 3, height, width), ("a",)), size)
    assert sample.condition.labels.dtype == torch.int32
    assert set(sample.condition.labels.unique().tolist()) <= {0, 5, 10}
    assert sample.target.shape[-2:] == size


@pytest.mark.parametrize("length", [3, 4, 10])
@pytest.mark.parametrize("new_length", [1, 2, 3, 5, 7, 20])
def test_labels_are_sampled_at_pixel_centres(length: int, new_length: int):
    labels = torch.arange(length, dtype=torch.int32).reshape(1, 1, length)
    sample = PairedSample(Condition(labels=labels), torch.zeros(1, 3, 1, length), ("a",))
    expected = [int((place + 0.5) * length / new_length) for place in range(new_length)]
    assert scaled(sample, (1, new_length)).condition.labels.flatten().tolist() == expected


def test_classes_to_be_found_stay_with_the_photo():
    photo = coordinates(20, 24)
    sample = PairedSample(Condition(image=photo.condition.image), photo.condition.labels, ("a",))
    varied = Augment(crop=(9, 7), flip=True)(sample, generator(3))
    assert torch.equal(varied.target[:, None].float(), varied.condition.image)
    assert scaled(sample, (10, 12)).target.dtype == torch.int32


def test_labels_and_images_do_not_drift_apart_when_scaled():
    left = (torch.arange(64) < 32).expand(1, 64, 64)
    sample = PairedSample(Condition(labels=left.int()), left[:, None].float(), ("a",))
    for size in ((16, 16), (24, 40), (128, 96)):
        small = scaled(sample, size)
        assert torch.equal(small.condition.labels[0] > 0, small.target[0, 0] > 0.5)


def test_images_are_antialiased():
    stripes = (torch.arange(64) % 2).float().expand(1, 1, 64, 64)
    sample = PairedSample(Condition(image=stripes), stripes, ("a",))
    assert (scaled(sample, (16, 16)).target[..., 2:-2] - 0.5).abs().max() < 0.02


def with_holes(height: int = 16, width: int = 20) -> PairedSample:
    """One depth everywhere, but for holes in a third of the pixels, which hold anything."""
    valid = torch.rand(1, 1, height, width, generator=generator()) > 1 / 3
    target = torch.where(valid, 0.5, torch.randn(1, 1, height, width, generator=generator(1)))
    return PairedSample(Condition(image=valid.float()), target, ("a",), valid)


def test_holes_stay_where_they_are():
    for seed in range(4):
        sample = Augment(crop=(9, 7), flip=True)(with_holes(), generator(seed))
        assert torch.equal(sample.valid.float(), sample.condition.image)


@pytest.mark.parametrize("size", [(8, 10), (11, 9), (30, 40)])
def test_holes_do_not_run_into_what_was_measured(size: tuple[int, int]):
    sample = scaled(with_holes(), size)
    assert sample.valid.shape == sample.target.shape == (1, 1, *size)
    assert 0 < sample.valid.float().mean() < 1
    assert (sample.target[sample.valid] - 0.5).abs().max() < 1e-5
    assert sample.condition.image[sample.valid].min() >= 0.5


def test_one_number_scales_the_short_side():
    assert Augment(scale=8)(coordinates(16, 23), generator()).condition.size == (8, 12)
    assert Augment(scale=32)(coordinates(24, 16), generator()).condition.size == (48, 32)


def test_the_generator_decides_and_nothing_else():
    augment, sample = Augment(crop=(8, 8), flip=True), coordinates(20, 20)
    torch.manual_seed(1)
    first = augment(sample, generator(7)).target
    torch.manual_seed(2)
    assert torch.equal(first, augment(sample, generator(7)).target)
    others = [augment(sample, generator(seed)).target for seed in range(8)]
    assert not all(torch.equal(first, other) for other in others)


def test_crops_reach_every_corner_and_flips_come_and_go():
    shared = generator()
    varied = [Augment(crop=(4, 4), flip=True)(coordinates(5, 5), shared).target for _ in range(200)]
    assert len({tuple(variant.flatten().tolist()) for variant in varied}) == 8


def test_without_flip_nothing_is_mirrored():
    crops = [Augment(crop=(4, 4))(coordinates(5, 5), generator(seed)).target for seed in range(40)]
    assert all((crop.diff(dim=-1) > 0).all() for crop in crops)


def test_validation_takes_the_middle_unflipped():
    sample = Augment(scale=8, crop=(4, 4), flip=True).centred(coordinates(8, 10))
    assert torch.equal(sample.target, coordinates(8, 10).target[..., 2:6, 3:7])


@pytest.mark.parametrize("crop", [(9, 4), (4, 11)])
def test_a_crop_larger_than_the_sample_names_it(crop: tuple[int, int]):
    message = f"a: 10x8 is smaller than the crop of {crop[1]}x{crop[0]}"
    with pytest.raises(InputError, match=message):
        Augment(crop=crop)(coordinates(8, 10), generator())
    with pytest.raises(InputError, match=message):
        Augment(crop=crop).centred(coordinates(8, 10))


@pytest.mark.parametrize("sizes", [{"scale": 0}, {"scale": (0, 4)}, {"crop": (4, 0)}, {"crop": (-1, 4)}])
def test_sizes_that_cannot_be_are_refused(sizes: dict[str, Any]):
    with pytest.raises(InputError, match=f"{next(iter(sizes))} must be at least 1 pixel"):
        Augment(**sizes)


def test_degrading_makes_the_condition_from_the_cropped_target():
    sample = PairedSample(Condition(image=torch.zeros(1, 1, 80, 80)), torch.ones(1, 1, 80, 80), ("a",))
    noisy = Augment(crop=(64, 64), degrade=GaussianNoise(25, 25))(sample, generator())
    noise = noisy.condition.image - noisy.target
    assert noisy.condition.size == (64, 64)
    assert noise.std().item() == pytest.approx(25 * 2 / 255, rel=0.05)


def test_the_own_style_is_the_target_as_it_has_become():
    augment = Augment(scale=(12, 16), crop=(4, 6), flip=True, own_style=True)
    for sample in (augment(coordinates(24, 32), generator()), augment.centred(coordinates(24, 32))):
        assert sample.condition.size == (4, 6)
        assert torch.equal(sample.condition.style, sample.target)


def test_noise_is_drawn_for_each_image_and_not_clipped():
    noisy = GaussianNoise(0, 55)(torch.ones(40, 1, 32, 32), generator())
    sigmas = (noisy - 1).std(dim=(1, 2, 3)) * 255 / 2
    assert sigmas.min() < 10
    assert 45 < sigmas.max() < 58
    assert noisy.max() > 1.2


@pytest.mark.parametrize("sigmas", [(-1, 5), (6, 5)])
def test_noise_that_cannot_be_is_refused(sigmas: tuple[float, float]):
    with pytest.raises(InputError, match="0 <= lowest <= highest"):
        GaussianNoise(*sigmas)


def test_a_share_of_the_samples_loses_its_colours():
    torch.manual_seed(0)
    sample = PairedSample(Condition(image=torch.rand(1, 3, 8, 8)), torch.rand(1, 3, 8, 8), ("a",))
    augment, shared = Augment(grey=0.25), generator()
    varied = [augment(sample, shared) for _ in range(400)]
    grey = [one for one in varied if torch.equal(one.target[:, :1].expand(1, 3, 8, 8), one.target)]
    assert 70 < len(grey) < 130
    others = [one for one in varied if not torch.equal(one.target[:, :1].expand(1, 3, 8, 8), one.target)]
    assert all(torch.equal(one.target, sample.target) for one in others)
    luma = (sample.target * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)
    torch.testing.assert_close(grey[0].target[:, 0], luma)
    assert grey[0].condition.image.std(dim=1).max() < 1e-6


def test_grey_pictures_may_get_grey_noise():
    torch.manual_seed(0)
    pictures = torch.cat([torch.zeros(2, 3, 16, 16), torch.rand(2, 3, 16, 16)])
    noise = GaussianNoise(25, 25, grey_alike=True)(pictures, generator()) - pictures
    assert torch.equal(noise[:2], noise[:2, :1].expand(2, 3, 16, 16))
    assert (noise[2:].std(dim=1) > 0).all()
    assert not torch.equal(noise[0], noise[1])
    torch.testing.assert_close(noise[2:], (GaussianNoise(25, 25)(pictures, generator()) - pictures)[2:])
