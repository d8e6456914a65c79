"""What a restored photo's new file cannot hold is known before anything is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_model import PHOTO_MODEL, save_tiny_denoiser, save_tiny_model
from torch import Tensor

from pixelwise import images
from pixelwise.condition import Condition
from pixelwise.translate import Translator, large, load
from pixelwise.translate.job_plan import plan
from pixelwise.translate.jobs import run


def restored(
    translator: Translator, folder: Path, suffix: str, monkeypatch: pytest.MonkeyPatch, scale: float = 1.0
) -> tuple[dict[str, str], list[tuple[int, int]]]:
    """What failed of a folder's photos, by name, and the sizes of those that the model has worked on."""
    sizes, translate = [], translator.translate

    def recorded(condition: Condition, *view: object) -> Tensor:
        sizes.append(condition.size)
        return translate(condition, *view)

    monkeypatch.setattr(translator, "translate", recorded)
    outcomes = run(translator, plan([str(folder)], folder.parent / "out", suffix), scale=scale)
    return {outcome.job.source.name: outcome.error for outcome in outcomes if outcome.error}, sizes


def test_deeper_photos_do_not_become_jpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 3), "cpu")
    folder, out = tmp_path / "in", tmp_path / "out"
    images.write(folder / "a.png", np.zeros((4, 5, 3), np.uint16))
    images.write(folder / "b.png", np.zeros((6, 7, 4), np.uint8))  # JPEG holds it but for its alpha
    images.write(folder / "c.tif", np.zeros((4, 5, 1), np.float32))
    failed, sizes = restored(translator, folder, ".jpg", monkeypatch)
    deep, floats = (f"{folder}/{source}: {out}/{source[0]}.jpg: JPEG cannot keep" for source in ("a.png", "c.tif"))
    assert failed == {
        "a.png": f"{deep} 3 channels of uint16, expected .png, .tif, .tiff, .npy",
        "c.tif": f"{floats} 1 channel of float32, expected .tif, .tiff, .npy",
    }
    assert sizes == [(6, 7)]
    assert [path.name for path in out.iterdir()] == ["b.jpg"]


def test_what_a_scale_makes_too_long_for_a_jpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL), "cpu")
    images.write(tmp_path / "in" / "a.png", np.zeros((2, 40, 3), np.uint8))
    failed, sizes = restored(translator, tmp_path / "in", ".jpg", monkeypatch, scale=2000)
    reason = "JPEG holds at most 65500 pixels a side, the picture is 80000x4000 (width x height)"
    assert failed["a.png"].endswith(f"{reason}, expected .png, .tif, .tiff, .npy")
    assert sizes == []


def test_a_large_photo_becomes_a_jpeg_by_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 3), "cpu")
    photo = np.random.default_rng(0).integers(256, size=(70, 50, 4), dtype=np.uint8)
    images.write(tmp_path / "in" / "a.png", photo)
    images.write(tmp_path / "in" / "b.png", np.zeros((70, 50, 3), np.uint16))
    (whole, _) = run(translator, plan([str(tmp_path / "in")], tmp_path / "whole", ".jpg"))
    monkeypatch.setattr(large, "_LARGE", 0)
    failed, sizes = restored(translator, tmp_path / "in", ".jpg", monkeypatch)
    assert sizes == []
    np.testing.assert_array_equal(images.read(tmp_path / "out" / "a.jpg"), images.read(whole.job.destination))
    assert "JPEG cannot keep 3 channels of uint16, expected .png, .tif, .tiff, .npy" in failed["b.png"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.jpg"]
    (outcome, _) = run(translator, plan([str(tmp_path / "in")], tmp_path / "out", ".jpg"), overwrite=True)
    assert outcome.remarks == whole.remarks == (".jpg does not keep: alpha",)
