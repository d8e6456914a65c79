"""A session's pictures are those of a fresh translation of the edited condition."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from session_scene import CORNERS, INSIDE, SIDES, Make, Scene
from tiny_model import LABEL_MODEL, LABELS, PHOTO_MODEL

from pixelwise.condition import ConditionSpec
from pixelwise.lowres import kept
from pixelwise.native import library
from pixelwise.render.window import Region


@pytest.fixture(params=["compiled", "torch"])
def stream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the low-resolution stream by the compiled kernels where there are any, and by torch."""
    if request.param == "torch":
        monkeypatch.setattr(library, "missing", lambda: "not in this test")


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize("bilinear", [False, True], ids=["nearest", "bilinear"])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_pictures_equal_fresh_translations(make: Make, norm: str, bilinear: bool) -> None:
    scene = Scene(make(norm=norm, bilinear=bilinear))
    scene.check((5, 7, 11, 13))
    before = scene.fresh()
    for number, region in enumerate([*CORNERS, *SIDES, *INSIDE]):
        scene.edit(region, number % 2)
        if number % 3 == 2:
            top, left, height, width = region
            scene.check((max(top - 12, 0), max(left - 12, 0), 12, 13))
            scene.check((2 * top, 2 * left, 2 * height, 2 * width), scale=2)
            scene.check()
    scene.check()
    assert float((scene.fresh() - before).abs().max()) > 0.01


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
@pytest.mark.parametrize("region", [*CORNERS, *SIDES, *INSIDE])
def test_every_edit_by_itself(make: Make, padding: str, region: Region) -> None:
    scene = Scene(make(padding=padding))
    scene.edit(region, 1)
    scene.check()


@pytest.mark.parametrize(
    "config",
    [{"cell": 8, "learned_reduction": 2}, {"cell": 4, "learned_reduction": 4}, {"cell": 1}, {"learned_reduction": 1},
     {"num_blocks": 3}, {"separable_blocks": True}, {"pixel_code": False}, {"scaled_parameters": True}],
    ids=str,
)  # fmt: skip
def test_edits_reach_as_far_as_the_stream_sees(make: Make, config: dict[str, Any]) -> None:
    scene = Scene(make(**config), size=(65, 70))
    for region in ((31, 33, 1, 1), (32, 32, 4, 4), (64, 69, 1, 1)):
        scene.edit(region, 1)
        scene.check()


@pytest.mark.parametrize("spec", [PHOTO_MODEL, LABEL_MODEL, ConditionSpec(LABELS, image_channels=3)])
def test_all_that_models_read_can_be_edited(make: Make, spec: ConditionSpec) -> None:
    scene = Scene(make(spec, residual=spec.image_channels > 0, neighbourhood=3))
    for region in (CORNERS[1], SIDES[2], INSIDE[0]):
        scene.edit(region, 1)
        scene.check()
        scene.check((10, 10, 9, 9), scale=1.7)


@pytest.mark.parametrize("passes", [1, 2])
def test_edits_of_an_unshuffled_photo(make: Make, passes: int) -> None:
    config = {"cell": 8, "unshuffle": 4, "learned_reduction": 1, "residual": True, "neighbourhood": 3}
    scene = Scene(make(PHOTO_MODEL, **config, passes=passes), (65, 70))
    for region in ((31, 33, 1, 1), (32, 32, 4, 4), (64, 69, 1, 1)):
        scene.edit(region, 1)
        scene.check()


@pytest.mark.parametrize("size", [(1, 1), (3, 9), (4, 4), (8, 12), (5, 40)])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_small_and_narrow_conditions(make: Make, size: tuple[int, int], norm: str) -> None:
    scene = Scene(make(norm=norm), size)
    scene.check()
    scene.edit((size[0] - 1, size[1] - 1, 1, 1), 1)
    scene.check()


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_a_label_that_appears_has_its_parameters(make: Make, norm: str) -> None:
    scene = Scene(make(LABEL_MODEL, norm=norm))
    scene.check()
    for label in (2, 3):
        scene.edit((18, 22, 1, 1), label)
        scene.check()
        # Far from the first edit, so that cells whose features are the same are looked at.
        scene.edit((1, 1, 1, 1), label)
        scene.check((0, 0, 8, 8))


def test_grids_too_large_to_be_kept_are_computed_when_asked_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_BYTES", 0)
    scene = Scene(make())
    scene.check()
    scene.edit(INSIDE[0], 2)
    scene.check()


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_without_instance_norms_approximate_is_exact(make: Make, norm: str) -> None:
    scene = Scene(make(norm=norm), approximate=True)
    scene.edit(INSIDE[0], 1)
    scene.check()


@pytest.mark.usefixtures("stream")
def test_approximate_pictures_stay_close_and_change_nearby_only(make: Make) -> None:
    scene = Scene(make(norm="instance"), approximate=True)
    before = scene.fresh()
    torch.testing.assert_close(scene.session.render(), before, rtol=0, atol=1e-5)
    unedited = scene.session.render()
    scene.edit((18, 24, 4, 4), 1)
    picture, exact = scene.session.render(), scene.fresh()
    changed = (picture != unedited).any(1).nonzero()[:, 1:]
    assert changed.min(0).values.tolist() >= [4, 12]
    assert changed.max(0).values.tolist() <= [35, 39]
    assert float((exact - before)[..., :12].abs().max()) > 1e-5
    assert float((picture - exact).abs().mean()) < float((exact - before).abs().mean()) / 2
