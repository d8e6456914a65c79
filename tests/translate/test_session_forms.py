"""What a session takes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from session_scene import SIZE, Make, Scene
from tiny_model import LABEL_MODEL, LABELS, PHOTO_MODEL, save_tiny_model
from torch import Tensor

from pixelwise.condition import Condition, ConditionSpec
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.models.asapnet import FAMILY
from pixelwise.render.window import Region
from pixelwise.translate import load


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


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_restoring_model_takes_edits_in_every_form_that_it_begins_with(
    tmp_path: Path, channels: int, dtype: str
) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, restores=True), "cpu")
    photo, patch = (
        np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (*size, channels), dtype)
        for seed, size in enumerate((SIZE, (5, 6)))
    )
    edited = photo.copy()
    edited[10:15, 20:26] = patch
    session = translator.begin(photo)
    session.update((10, 20, 5, 6), image=patch)
    expected = translator.translate(translator.condition(edited))
    torch.testing.assert_close(session.render(), expected, rtol=0, atol=1e-6)


def test_a_palette_is_read_by_a_restoring_model_as_what_it_stands_for(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, restores=True), "cpu")
    packed = Image.fromarray(np.arange(30 * 3, dtype=np.uint8).reshape(5, 6, 3)).convert("P")
    session = translator.begin(np.zeros((*SIZE, 3), np.uint8))
    session.update((0, 0, 5, 6), image=packed)
    found = session.render((0, 0, 5, 6))
    session.update((0, 0, 5, 6), image=packed.convert("RGB"))
    torch.testing.assert_close(session.render((0, 0, 5, 6)), found, rtol=0, atol=0)


def test_a_colour_photo_is_no_edit_of_a_grey_one(tmp_path: Path) -> None:
    spec, grey = ConditionSpec(image_channels=1), ImageSpec(1)
    path = save_tiny_model(tmp_path / "model.safetensors", spec, grey, grey, restores=True)
    session = load(path, "cpu").begin(np.zeros((*SIZE, 1), np.uint8))
    with pytest.raises(
        InputError, match=r"image: the edit's shape is \(3, 1, 5, 6\), the condition's \(1, 1, 37, 51\)"
    ):
        session.update((0, 0, 5, 6), image=np.zeros((5, 6, 3), np.uint8))


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
    with pytest.raises(InputError, match=r"no editing sessions.*: the engine 'reference' computes"):
        make(LABEL_MODEL, engine="reference").begin(labels[0])
    with pytest.raises(InputError, match=r"no editing sessions.*: a model with one MLP for all cells has no"):
        make(LABEL_MODEL, constant_mlp=True).begin(labels[0])
    monkeypatch.setattr(translator, "ready", None)
    with pytest.raises(InputError, match=f"this {FAMILY.name} model renders whole pictures only"):
        translator.begin(labels[0])
