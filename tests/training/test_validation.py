from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pixelwise import images
from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.contact_sheet import GAP
from pixelwise.data.augment import Augment
from pixelwise.data.degrade import GaussianNoise
from pixelwise.data.degraded_folder import DegradedFolder
from pixelwise.data.facades import facades
from pixelwise.data.layout import Folder
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.models.family import Translation
from pixelwise.training.validation import FixedSamples, spread, validation_scores, write_sheet


class Doubled(nn.Module):
    """Twice the picture that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))

    def forward(self, condition: Condition) -> Translation:
        return Translation(condition.image * self.factor)


def sample(image: Tensor, target: Tensor) -> PairedSample:
    return PairedSample(Condition(image=image), target, ("a",))


@pytest.mark.parametrize(
    ("length", "count", "expected"),
    [(10, 5, [0, 2, 4, 6, 8]), (10, 3, [0, 3, 6]), (3, 3, [0, 1, 2]), (2, 5, [0, 1]), (1, 1, [0])],
)
def test_samples_are_spread_over_the_set(length: int, count: int, expected: list[int]):
    assert spread(length, count) == expected


def test_fixed_samples_are_the_middles_of_pictures(data: Path):
    samples = facades(data, "val")
    fixed = FixedSamples(samples, Augment(crop=(16, 16), flip=True), limit=2)
    for _ in range(2):
        drawn = list(fixed)
        assert [one.names for one in drawn] == [("0",), ("1",)]
        assert torch.equal(drawn[1].target, samples[1].target[..., 8:24, 8:24])


def test_the_noise_of_validation_is_fixed(data: Path):
    samples = DegradedFolder(Folder(data / "val" / "image"), ImageSpec(), GaussianNoise(25, 25))
    fixed = FixedSamples(samples, Augment(crop=(16, 16)), limit=1)
    (first,), (second,) = list(fixed), list(fixed)
    assert torch.equal(first.condition.image, second.condition.image)
    assert not torch.equal(first.condition.image, first.target)


def test_scores_are_means_over_samples_of_what_can_be_shown():
    """Squared errors of 0.01 and 0.04 on a range of 2: 26.02 dB and 20 dB. The first picture is clipped to white."""
    generator, white = Doubled(), torch.ones(1, 3, 16, 16)
    samples = [sample(white, white - 0.1), sample(white * 0.1, white * 0.4)]
    scores = validation_scores(generator, samples, ImageSpec())
    assert scores["psnr"] == pytest.approx((26.0206 + 20.0) / 2, abs=1e-3)
    assert -1 <= scores["ssim"] <= 1


def test_depth_is_validated_in_metres_where_it_was_measured():
    """One of 1 m taken for 2 m, beside a hole, and one of 4 m taken for 8 m; a third sample has holes alone."""
    spec = ImageSpec(1, "uint16", 10_000, unit="mm", holes=True)
    given, wanted = (
        torch.tensor([[2.0, 5.0], [8.0, 8.0], [1.0, 1.0]]),
        torch.tensor([[1.0, 0.0], [4.0, 4.0], [0.0, 0.0]]),
    )
    condition, target = (depth.view(3, 1, 1, 1, 2) / 5 - 1 for depth in (given, wanted))
    generator = Doubled()
    samples = [replace(sample(c / 2, t), valid=t > -1) for c, t in zip(condition, target, strict=True)]
    scores = validation_scores(generator, samples, spec)
    expected = {"abs_rel": 1.0, "rmse": (1 + 4) / 2, "delta1": 0.0, "delta2": 0.0, "delta3": 0.0}
    assert scores == pytest.approx(expected, abs=1e-5)


def test_a_sheet_shows_input_output_and_target(tmp_path: Path):
    ones = torch.ones(1, 3, 8, 8)
    samples = [sample(-0.2 * ones, 0.6 * ones), sample(0.1 * ones, -ones)]
    write_sheet(tmp_path / "sheets" / "a.png", Doubled(), samples, ConditionSpec(image_channels=3), ImageSpec())
    sheet = images.read(tmp_path / "sheets" / "a.png")
    step = 8 + GAP
    assert [[sheet[row * step, column * step, 0] for column in range(3)] for row in range(2)] == [
        [102, 76, 204],
        [140, 153, 0],
    ]


def test_a_sheet_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "sheets").touch()
    ones = torch.ones(1, 3, 8, 8)
    with pytest.raises(InputError, match=r"sheets/a\.png: "):
        write_sheet(
            tmp_path / "sheets" / "a.png",
            Doubled(),
            [sample(ones, ones)],
            ConditionSpec(image_channels=3),
            ImageSpec(),
        )


class Reads(nn.Module):
    """Finds in a picture of class indices what stands there."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))

    def forward(self, condition: Condition) -> Translation:
        return Translation(torch.nn.functional.one_hot(condition.image[:, 0].long(), 3).movedim(-1, 1) * self.factor)


def test_classes_are_validated_over_all_samples_at_once(tmp_path: Path):
    """0 and 1 are found everywhere, 2 in one of two pixels, taken for 0 in the other; 3 is don't care."""
    labels = LabelSpec(("a", "b", "c"), ignore_id=9)
    found, wanted = torch.tensor([[0, 0, 1, 1], [2, 0, 2, 2]]), torch.tensor([[0, 0, 1, 1], [2, 2, 3, 3]])
    samples = [
        PairedSample(Condition(image=f.view(1, 1, 1, 4).float()), w.view(1, 1, 4), ("a",))
        for f, w in zip(found, wanted, strict=True)
    ]
    scores = validation_scores(Reads(), samples, labels)
    assert scores == pytest.approx({"mean_iou": (2 / 3 + 1 + 1 / 2) / 3, "pixel_accuracy": 5 / 6})
    write_sheet(tmp_path / "a.png", Reads(), samples, ConditionSpec(image_channels=1), labels)
    sheet = images.read(tmp_path / "a.png")
    assert sheet[0, 4 + GAP].tolist() == list(labels.colours[0])
    assert sheet[1 + GAP, 2 * (4 + GAP) + 3].tolist() == list(labels.colours[3])
