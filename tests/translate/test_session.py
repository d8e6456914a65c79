"""A session's pictures are those of a fresh translation of the edited condition, and only what changed is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, LABELS, PHOTO_MODEL, save_tiny_model
from torch import Tensor, nn

from pixelwise.checkpoint import load_checkpoint
from pixelwise.condition import Condition, ConditionSpec
from pixelwise.errors import InputError
from pixelwise.lowres import kept
from pixelwise.lowres.parameters import ParameterLayer
from pixelwise.lowres.stream import FastStream
from pixelwise.models.asapnet import FAMILY
from pixelwise.native import library
from pixelwise.render.window import Region
from pixelwise.translate import Translator
from pixelwise.translate.session import Session

SIZE = (37, 51)
"""(height, width): 10 x 13 cells, the last ones not whole."""

CORNERS = [(0, 0, 2, 3), (0, 47, 6, 4), (34, 0, 3, 5), (36, 50, 1, 1)]
SIDES = [(0, 20, 4, 8), (15, 0, 5, 1), (33, 20, 4, 4), (17, 48, 3, 3)]
INSIDE = [(18, 22, 7, 9), (20, 29, 1, 1)]

Make = Callable[..., Translator]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Translators of a model whose edits reach 10 pixels: of 13 x 10 cells the nearest seven in a row at most."""

    def translator(spec: ConditionSpec = INSTANCE_MODEL, *, engine: str = "auto", **config: Any) -> Translator:
        fields = {"learned_reduction": 2, "edges_in_mlp": spec.instances, "norm": "batch", **config}
        checkpoint = load_checkpoint(save_tiny_model(tmp_path / "model.safetensors", spec, **fields))
        for module in checkpoint.generator.modules():  # type: ignore[attr-defined]
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
        return Translator(checkpoint, "cpu", engine)

    return translator


@pytest.fixture(params=["compiled", "torch"])
def stream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the low-resolution stream by the compiled kernels where there are any, and by torch."""
    if request.param == "torch":
        monkeypatch.setattr(library, "missing", lambda: "not in this test")


class Scene:
    """A condition of patches, edited beside the session that is compared with fresh translations of it."""

    def __init__(self, translator: Translator, size: tuple[int, int] = SIZE, approximate: bool = False) -> None:
        spec = translator.manifest.spec
        self.random = torch.Generator().manual_seed(1)
        self.translator = translator
        # Class 2 and don't care come in by edits only.
        labels = self.patches(2, size) if spec.labels else None
        instances = self.patches(6, size) if spec.instances else None
        image = torch.rand(1, 3, *size, generator=self.random) * 2 - 1 if spec.image_channels else None
        self.condition = Condition(labels, instances, image)
        self.session = translator.begin(self.condition, approximate=approximate)

    def patches(self, num_values: int, size: tuple[int, int]) -> Tensor:
        cells = torch.randint(num_values, (1, size[0] // 6 + 1, size[1] // 6 + 1), generator=self.random)
        return cells.repeat_interleave(6, 1).repeat_interleave(6, 2)[:, : size[0], : size[1]].contiguous()

    def edit(self, region: Region, label: int = 0) -> None:
        top, left, height, width = region
        new = {
            name: torch.full_like(plane[0, ..., :height, :width], label if name == "labels" else label + 20)
            if name != "image"
            else torch.rand(3, height, width, generator=self.random) * 2 - 1
            for name, plane in self.condition.planes().items()
        }
        self.session.update(region, **new)
        planes = {name: plane.clone() for name, plane in self.condition.planes().items()}
        for name, plane in new.items():
            planes[name][0, ..., top : top + height, left : left + width] = plane
        self.condition = Condition(**planes)

    def fresh(self, region: Region | None = None, scale: float = 1.0) -> Tensor:
        return self.translator.translate(self.condition, region, scale)

    def check(self, region: Region | None = None, scale: float = 1.0) -> None:
        picture, expected = self.session.render(region, scale), self.fresh(region, scale)
        assert picture.shape == expected.shape
        assert float((picture - expected).abs().max()) <= 1e-6


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


def test_edits_of_an_unshuffled_photo(make: Make) -> None:
    scene = Scene(make(PHOTO_MODEL, cell=8, unshuffle=4, learned_reduction=1, residual=True, neighbourhood=3), (65, 70))
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


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Counts cells whose parameters are made, and pixels that the stream reads."""
    made = {"cells": 0, "pixels": 0}
    parameters, features = ParameterLayer.__call__, FastStream.features

    def counted_parameters(self: ParameterLayer, *arguments: Any) -> Tensor:
        result = parameters(self, *arguments)
        made["cells"] += result.shape[2] * result.shape[3]
        return result

    def counted_features(self: FastStream, labels: Tensor | None, planes: Tensor | None) -> Tensor:
        assert labels is not None
        made["pixels"] += labels[0].numel()
        return features(self, labels, planes)

    monkeypatch.setattr(ParameterLayer, "__call__", counted_parameters)
    monkeypatch.setattr(FastStream, "features", counted_features)
    return made


def counted(work: dict[str, int], session: Session, region: Region | None = None) -> tuple[int, int]:
    """(cells, pixels) that it takes to render."""
    work.update(cells=0, pixels=0)
    session.render(region)
    return work["cells"], work["pixels"]


def test_panning_computes_cells_that_come_into_view(make: Make, work: dict[str, int]) -> None:
    session = Scene(make(norm="instance")).session
    assert counted(work, session, (8, 8, 8, 12)) == (2 * 3, 0)
    assert counted(work, session, (8, 8, 8, 12)) == (0, 0)
    assert counted(work, session, (8, 12, 8, 12)) == (2, 0)
    assert counted(work, session, (12, 9, 8, 12)) == (4, 0)
    assert counted(work, session) == (130 - 12, 0)


def test_an_edit_computes_what_is_near_it(make: Make, work: dict[str, int]) -> None:
    scene = Scene(make(LABEL_MODEL), size=(200, 200))
    counted(work, scene.session)
    scene.edit((100, 100, 4, 4), 1)
    # It reaches 9 pixels: cells 22 to 28. They see cells 19 to 31, and tiles of four begin with cell 16.
    assert counted(work, scene.session) == (7 * 7, (16 * 4) ** 2)
    assert counted(work, scene.session) == (0, 0)


def test_edits_are_computed_when_they_are_looked_at_and_together_where_they_meet(
    make: Make, work: dict[str, int]
) -> None:
    scene = Scene(make(LABEL_MODEL), size=(200, 200))
    scene.session.render()
    before = dict(work)
    for left in (100, 102, 104):
        scene.edit((100, left, 2, 2), 1)
    scene.edit((20, 20, 4, 4), 1)
    assert work == before
    scene.session.render((0, 0, 4, 4))
    assert work["pixels"] - before["pixels"] == 60 * 64 + 48**2
    scene.session.render()
    assert work["cells"] - before["cells"] == 6 * 7 + 7 * 7


def test_an_exact_edit_with_instance_norms_runs_the_stream_once(make: Make, work: dict[str, int]) -> None:
    scene = Scene(make(norm="instance"))
    counted(work, scene.session)
    scene.edit(INSIDE[0], 1)
    scene.edit(CORNERS[0], 1)
    whole_cells = 40 * 52  # of 4 pixels, for 37 x 51
    assert counted(work, scene.session, (0, 0, 8, 8)) == (4, whole_cells)
    assert counted(work, scene.session, (4, 0, 8, 8)) == (2, 0)


def test_a_label_that_appears_costs_the_cells_in_view(make: Make, work: dict[str, int]) -> None:
    scene = Scene(make(LABEL_MODEL), size=(200, 200))
    counted(work, scene.session)
    scene.edit((100, 100, 4, 4), 2)
    assert counted(work, scene.session, (0, 0, 8, 8))[0] == 4
    scene.edit((150, 150, 4, 4), 2)
    assert counted(work, scene.session, (0, 0, 8, 8))[0] == 0


def test_labels_come_in_every_form(make: Make) -> None:
    translator = make(LABEL_MODEL)
    indices = torch.tensor([[0, 1, 2, 3, 0, 1, 1]] * 5)
    patch = torch.tensor([[2, 3], [3, 0]])
    expected = indices.clone()
    expected[1:3, 2:4] = patch
    picture = translator.translate(Condition(labels=expected[None]))
    ids = [LABELS.file_ids(labels.numpy()) for labels in (indices, patch)]
    for whole, part in ((indices, patch), ids, map(Image.fromarray, ids), (Condition(labels=indices[None]), ids[1])):
        session = translator.begin(whole)
        session.update((1, 2, 2, 2), part)
        torch.testing.assert_close(session.render(), picture, rtol=0, atol=1e-6)


def test_the_condition_is_copied(make: Make) -> None:
    translator = make(PHOTO_MODEL)
    image = torch.zeros(1, 3, *SIZE)
    session = translator.begin(Condition(image=image))
    expected = session.render()
    session.update((0, 0, 9, 9), image=torch.ones(3, 9, 9))
    assert not image.any()
    image.fill_(1)
    session.update((0, 0, 9, 9), image=torch.zeros(3, 9, 9))
    torch.testing.assert_close(session.render(), expected, rtol=0, atol=1e-6)


def test_parts_are_edited_one_by_one(make: Make) -> None:
    scene = Scene(make())
    assert scene.condition.labels is not None
    new = torch.full((5, 6), 9)
    scene.session.update((10, 10, 5, 6), instances=new)
    instances = scene.condition.instances.clone()  # type: ignore[union-attr]
    instances[0, 10:15, 10:16] = new
    scene.condition = Condition(scene.condition.labels, instances)
    scene.check()


@pytest.mark.parametrize(
    ("region", "labels", "message"),
    [
        ((-1, 0, 2, 2), torch.zeros(2, 2, dtype=torch.int64), r"region \(top -1, .* reaches beyond the condition"),
        ((0, 50, 2, 2), torch.zeros(2, 2, dtype=torch.int64), "reaches beyond"),
        ((0, 0, 0, 2), torch.zeros(2, 2, dtype=torch.int64), "is empty"),
        ((0, 0, 2, 3), torch.zeros(3, 2, dtype=torch.int64), r"the edit is 2x3 \(width x height\), its region 3x2"),
        ((0, 0, 2, 2), torch.full((2, 2), 4), r"labels run from 4 to 4, expected 0\.\.3"),
        ((0, 0, 2, 2), torch.full((2, 2), -1), r"labels run from -1 to -1"),
        ((0, 0, 2, 2), np.full((2, 2), 9, np.uint8), r"id 9 \(4 pixels\) not in the label spec"),
        ((0, 0, 2, 2), torch.zeros(2, 2), "expected class indices"),
        (
            (0, 0, 2, 2),
            torch.zeros(2, 2, 2, dtype=torch.int64),
            r"labels: the edit's shape is \(2, 2, 2\), the condition's \(1, 37, 51\)",
        ),
        ((0, 0, 2, 2), None, "needs labels, instances or an image"),
    ],
)
def test_unfit_edits_are_refused_and_change_nothing(
    make: Make, region: Region, labels: Tensor | np.ndarray | None, message: str
) -> None:
    session = Scene(make(LABEL_MODEL)).session
    before = session.render()
    with pytest.raises(InputError, match=message):
        session.update(region, labels)
    torch.testing.assert_close(session.render(), before, rtol=0, atol=0)


def test_parts_that_the_model_does_not_read_are_refused(make: Make) -> None:
    session = Scene(make(LABEL_MODEL)).session
    with pytest.raises(InputError, match="instances: the model reads labels only"):
        session.update((0, 0, 1, 1), instances=torch.zeros(1, 1, dtype=torch.int64))
    with pytest.raises(InputError, match="image: the model reads labels and instances only"):
        Scene(make()).session.update((0, 0, 1, 1), image=torch.zeros(3, 1, 1))


def test_unfit_regions_and_scales_are_refused(make: Make) -> None:
    session = Scene(make()).session
    with pytest.raises(InputError, match=r"reaches beyond the image"):
        session.render((30, 0, 8, 8))
    with pytest.raises(InputError, match=r"region \(0\.5, 0, 8, 8\): expected whole numbers"):
        session.render((0.5, 0, 8, 8))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="scale must be a positive number"):
        session.render(scale=0)


def test_sessions_that_cannot_begin(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = torch.zeros(2, 8, 8, dtype=torch.int64)
    translator = make(LABEL_MODEL)
    with pytest.raises(InputError, match="one condition can be edited at a time, got 2"):
        translator.begin(labels)
    with pytest.raises(InputError, match=r"labels run from 4 to 4"):
        translator.begin(labels[0] + 4)
    with pytest.raises(InputError, match="instances"):
        translator.begin(Condition(labels=labels[:1]), instances=labels[0])
    with pytest.raises(InputError, match="engine 'reference' has no editing sessions"):
        make(LABEL_MODEL, engine="reference").begin(labels[0])
    with pytest.raises(InputError, match="one MLP for all cells has no editing sessions"):
        make(LABEL_MODEL, constant_mlp=True).begin(labels[0])
    monkeypatch.setattr(translator, "ready", None)
    with pytest.raises(InputError, match=f"this {FAMILY.name} model renders whole pictures only"):
        translator.begin(labels[0])
