import errno
from pathlib import Path

import numpy as np
import pytest
from tiny_model import PHOTO_MODEL, save_tiny_model

from pixelwise import images
from pixelwise.images import ImageSpec
from pixelwise.translate import large
from pixelwise.translate.preview import preview

DEPTH = ImageSpec(1, "uint16", 10_000, unit="mm")


def test_far_is_lighter_than_near_all_the_way() -> None:
    depth = np.linspace(0, 10_000, 256).astype(np.uint16).reshape(1, -1, 1)
    colours = preview(depth, DEPTH)[0].astype(float)
    lightness = colours @ [0.30, 0.59, 0.11]
    assert (np.diff(lightness) > 0).all()
    assert colours[0].tolist() == [0, 0, 0]
    assert colours[-1].tolist() == [255, 255, 255]
    assert np.ptp(colours, axis=1).max() > 60


@pytest.mark.parametrize("previews", [True, False])
def test_depth_is_written_in_millimetres_and_for_the_eye(pixelwise_command, tmp_path, previews: bool) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=DEPTH)
    images.write(tmp_path / "in" / "a.png", np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8))
    command = ("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out")
    assert pixelwise_command(*command, *([] if previews else ["--no-preview"])) == 0
    depth = images.read(tmp_path / "out" / "a.png")
    assert (depth.shape, depth.dtype.name) == ((9, 7, 1), "uint16")
    assert depth.max() <= 10_000
    shown = tmp_path / "out" / "a_preview.png"
    assert shown.exists() == previews
    if previews:
        np.testing.assert_array_equal(images.read(shown), preview(depth, DEPTH))


def test_what_is_there_is_replaced_only_when_asked_for(pixelwise_command, tmp_path, capsys) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=DEPTH)
    for name in ("a.png", "b.png"):
        images.write(tmp_path / "in" / name, np.zeros((9, 7, 3), np.uint8))
    mine = tmp_path / "out" / "a_preview.png"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    command = ("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out")
    assert pixelwise_command(*command) == 1
    assert "a_preview.png is there already" in capsys.readouterr().err
    assert mine.read_bytes() == b"mine"
    assert sorted(path.name for path in mine.parent.iterdir()) == ["a_preview.png", "b.png", "b_preview.png"]
    assert pixelwise_command(*command, "--overwrite") == 0


@pytest.mark.parametrize("by_rows", [False, True])
def test_without_its_picture_there_is_no_preview(
    pixelwise_command, tmp_path, monkeypatch, capsys, by_rows: bool
) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=DEPTH)
    images.write(tmp_path / "a.png", np.zeros((9, 7, 3), np.uint8))
    monkeypatch.setattr(large, "_LARGE", 0 if by_rows else 63)
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if target.name == "out.png":
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, target)

    command = ("translate", tmp_path / "a.png", "--model", model, "--out", tmp_path / "out.png")
    monkeypatch.setattr(Path, "replace", refuse)
    assert pixelwise_command(*command) == 1
    assert "out.png: cannot be written: No space left on device" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "model.safetensors"]
    monkeypatch.undo()
    assert pixelwise_command(*command) == 0
    assert (tmp_path / "out_preview.png").is_file()


def test_a_preview_takes_nobodys_place(pixelwise_command, tmp_path, capsys) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=DEPTH)
    for name in ("a.png", "a_preview.png"):
        images.write(tmp_path / "in" / name, np.zeros((9, 7, 3), np.uint8))
    command = ("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out")
    assert pixelwise_command(*command) == 1
    assert "a_preview.png: is an input or a picture" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert pixelwise_command(*command, "--no-preview") == 0
