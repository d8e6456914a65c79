import numpy as np
import pytest
from tiny_model import PHOTO_MODEL, save_tiny_model

from pixelwise import images
from pixelwise.images import ImageSpec
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


def test_a_preview_takes_nobodys_place(pixelwise_command, tmp_path, capsys) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=DEPTH)
    for name in ("a.png", "a_preview.png"):
        images.write(tmp_path / "in" / name, np.zeros((9, 7, 3), np.uint8))
    command = ("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out")
    assert pixelwise_command(*command) == 1
    assert "a_preview.png: is an input or a picture" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert pixelwise_command(*command, "--no-preview") == 0
