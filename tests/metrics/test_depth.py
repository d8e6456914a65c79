"""Depth against values that were reckoned by hand."""

from __future__ import annotations

import math

import pytest
import torch

from pixelwise.condition import Condition, PairedSample
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.metrics import DEPTH_METRICS, METRICS, WATCHED, best_by, metrics_of, scores
from pixelwise.metrics.depth import abs_rel, metres, rmse, within

SPEC = ImageSpec(1, "uint16", 10_000, unit="mm", holes=True)

# Too far by a quarter exactly, right, too near by half, a hole.
TARGET = torch.tensor([2.0, 4.0, 8.0, 0.0]).view(1, 1, 2, 2)
DEPTH = torch.tensor([2.5, 4.0, 4.0, 3.0]).view(1, 1, 2, 2)
VALID = TARGET > 0


def test_by_hand() -> None:
    assert abs_rel(DEPTH, TARGET, VALID).item() == pytest.approx((0.25 + 0 + 0.5) / 3)
    assert rmse(DEPTH, TARGET, VALID).item() == pytest.approx(math.sqrt((0.25 + 0 + 16) / 3))
    shares = [within(factor)(DEPTH, TARGET, VALID).item() for factor in (1.25, 1.25**2, 1.25**3, 2.01)]
    assert shares == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1])


@pytest.mark.parametrize("name", DEPTH_METRICS)
def test_a_hole_counts_for_nothing_whatever_is_there(name: str) -> None:
    metric = DEPTH_METRICS[name]
    expected = metric(DEPTH.flatten()[:3].view(1, 1, 1, 3), TARGET.flatten()[:3].view(1, 1, 1, 3), None)
    for there, said in ((0.0, 0.0), (7.0, 1.0), (math.nan, 5.0)):
        target, depth = torch.where(VALID, TARGET, there), torch.where(VALID, DEPTH, said)
        torch.testing.assert_close(metric(depth, target, VALID), expected)


@pytest.mark.parametrize("name", DEPTH_METRICS)
def test_scores_are_per_picture(name: str) -> None:
    metric = DEPTH_METRICS[name]
    depth, target, valid = (torch.cat([one, one.flip(-1)]) for one in (DEPTH, TARGET, VALID))
    depth[1] *= 1.3
    both = metric(depth, target, valid)
    assert both.shape == (2,)
    torch.testing.assert_close(both[1:], metric(depth[1:], target[1:], valid[1:]))
    assert metric(DEPTH, TARGET, torch.zeros_like(VALID)).isnan().all()


def test_depth_of_nothing_is_wrong_and_no_fault() -> None:
    assert within(1.25)(torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 1, 2)).tolist() == [0.0]


def test_pictures_are_metres_by_their_white() -> None:
    picture = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(metres(picture, SPEC), torch.tensor([0.0, 5.0, 10.0]))
    torch.testing.assert_close(metres(picture, ImageSpec(1, "float32", 80, unit="m")), torch.tensor([0.0, 40.0, 80.0]))


def test_the_target_s_unit_says_what_is_compared() -> None:
    assert metrics_of(ImageSpec()) == tuple(METRICS)
    assert metrics_of(SPEC) == tuple(DEPTH_METRICS)
    assert (best_by(ImageSpec()), best_by(SPEC)) == ("ssim", "delta1")
    sample = PairedSample(Condition(image=torch.zeros(1, 3, 2, 2)), TARGET / 5 - 1, ("a",), VALID)
    found = scores(DEPTH / 5 - 1, sample, SPEC, ("rmse", "delta2"))
    assert found == pytest.approx({"rmse": math.sqrt(16.25 / 3), "delta2": 2 / 3}, abs=1e-5)


def test_a_hole_in_what_is_no_depth_counts_for_nothing_either() -> None:
    picture = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    valid = torch.ones(1, 1, 16, 16, dtype=torch.bool)
    valid[..., 3:9, 3:9] = False
    samples = [
        PairedSample(Condition(image=picture), torch.where(valid, picture * 0.9, hole), ("a",), valid)
        for hole in (-1, 1)
    ]
    first, second = (scores(picture, sample, ImageSpec(holes=True), WATCHED) for sample in samples)
    assert first == second


def test_a_unit_must_be_known() -> None:
    with pytest.raises(InputError, match="unit is one of mm, m, or empty, got 'feet'"):
        ImageSpec(unit="feet")
