"""Models of ours as segmenters: those that find the right classes in photos, and why others are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_model import LABEL_MODEL, LABELS, PHOTO_MODEL, save_tiny_model

from pixelwise import load
from pixelwise.condition import Condition, ConditionSpec
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.segmenters.trained import trained_segmenter


def test_it_finds_what_the_model_finds(tmp_path: Path) -> None:
    path = save_tiny_model(tmp_path / "finder.safetensors", PHOTO_MODEL, target=LABELS)
    segmenter = trained_segmenter(path, LABELS, "cpu")
    pictures = torch.rand(2, 3, 21, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = segmenter.find(pictures)
    assert (found.dtype, found.shape) == (torch.int64, (2, 21, 30))
    assert torch.equal(found, load(path, "cpu").translate(Condition(image=pictures)).long())
    assert len(found.unique()) > 1
    assert (segmenter.name, segmenter.num_classes) == ("asapnet (finder.safetensors)", 3)
    assert segmenter.digest == sha256_of(path)


def test_other_classes_are_refused_with_both(tmp_path: Path) -> None:
    path = save_tiny_model(tmp_path / "finder.safetensors", PHOTO_MODEL, target=LABELS)
    with pytest.raises(InputError, match=r"finder\.safetensors: tells 3 classes apart, the label maps have 2"):
        trained_segmenter(path, LabelSpec(("a", "b")))
    with pytest.raises(InputError, match=r"its class 1 is 'b', that of the label maps is 'd'"):
        trained_segmenter(path, LabelSpec(("a", "d", "c")))


def test_models_that_make_pictures_or_read_labels_are_refused(tmp_path: Path) -> None:
    maker = save_tiny_model(tmp_path / "maker.safetensors", LABEL_MODEL)
    with pytest.raises(InputError, match=r"maker\.safetensors: this asapnet model makes pictures"):
        trained_segmenter(maker, LABELS)
    reader = save_tiny_model(tmp_path / "reader.safetensors", ConditionSpec(image_channels=1), target=LABELS)
    with pytest.raises(InputError, match="does not read photos of three channels alone"):
        trained_segmenter(reader, LABELS)
    with pytest.raises(InputError, match="neither a file nor a bundled model"):
        trained_segmenter(tmp_path / "none.safetensors", LABELS)
