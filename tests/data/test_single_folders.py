from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise import images
from pixelwise.data.degrade import GaussianNoise
from pixelwise.data.degraded_folder import DegradedFolder
from pixelwise.data.layout import Folder, Layout
from pixelwise.data.side_by_side import SideBySide
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec


def layout(folder: Path) -> Layout:
    return Layout({"ab": Folder(folder)}, "ab", images={"ab": ImageSpec()}, halves=True)


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    left, right = np.full((4, 6, 3), 0, np.uint8), np.full((4, 6, 3), 255, np.uint8)
    images.write(tmp_path / "1.png", np.concatenate([left, right], axis=1))
    return tmp_path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        images.write(tmp_path / f"{name}.png", np.full((64, 64), 128, np.uint8))
    return tmp_path


def test_halves_become_condition_and_target(halves: Path):
    sample = SideBySide(layout(halves))[0]
    assert sample.names == ("1",)
    assert torch.equal(sample.condition.image, -torch.ones(1, 3, 4, 6))
    assert torch.equal(sample.target, torch.ones(1, 3, 4, 6))


def test_halves_can_change_roles(halves: Path):
    sample = SideBySide(layout(halves), target_right=False)[0]
    assert torch.equal(sample.target, -torch.ones(1, 3, 4, 6))


def test_an_odd_width_has_no_halves(halves: Path):
    images.write(halves / "1.png", np.zeros((4, 7, 3), np.uint8))
    with pytest.raises(InputError, match=r"1\.png: is 7 pixels wide"):
        SideBySide(layout(halves))[0]


def test_noise_of_a_sample_is_fixed_and_its_own(clean: Path):
    samples = DegradedFolder(Folder(clean), ImageSpec(channels=1), GaussianNoise(25, 25))
    assert torch.equal(samples[0].condition.image, samples[0].condition.image)
    assert torch.equal(samples[-1].condition.image, samples[1].condition.image)
    first, second = (sample.condition.image - sample.target for sample in (samples[0], samples[1]))
    assert torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1].abs() < 0.06
    assert first.std().item() * 255 / 2 == pytest.approx(25, rel=0.05)


def test_another_seed_gives_other_noise(clean: Path):
    first, second = (DegradedFolder(Folder(clean), ImageSpec(1), GaussianNoise(25, 25), seed)[0] for seed in (0, 1))
    assert torch.equal(first.target, second.target)
    assert not torch.equal(first.condition.image, second.condition.image)


def test_the_target_stays_clean(clean: Path):
    samples = DegradedFolder(Folder(clean), ImageSpec(channels=1), GaussianNoise(25, 25))
    assert samples[0].target.unique().numel() == 1
    assert samples.spec.image_channels == 1
