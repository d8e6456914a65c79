"""`pixelwise translate`: parts, scales and engines as options. More of it is in test_cli.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_model import LABEL_MODEL, save_tiny_model
from tiny_pairs import draw

from pixelwise import images

Command = Callable[..., int]


@pytest.fixture
def translate(pixelwise_command: Command, tmp_path: Path) -> Command:
    """Translates two label maps, of 8 x 12 and 16 x 8; takes further options."""
    draw(tmp_path / "in" / "a.png", (8, 12))
    draw(tmp_path / "in" / "b.png", (16, 8))
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    where = ("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out", "--device", "cpu")
    return lambda *options: pixelwise_command(*where, *options)


def sizes(out: Path) -> dict[str, tuple[int, ...]]:
    return {path.name: images.read(path).shape[:2] for path in sorted(out.iterdir())}


def test_a_region_of_each_picture(translate: Command, tmp_path: Path) -> None:
    assert translate("--region", "1,2,7,6") == 0
    assert sizes(tmp_path / "out") == {"a.png": (7, 6), "b.png": (7, 6)}


def test_pictures_that_have_no_such_region_fail_alone(
    translate: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert translate("--region", "0,4,8,8") == 1
    assert sizes(tmp_path / "out") == {"a.png": (8, 8)}
    printed = capsys.readouterr()
    assert printed.out.startswith("1 of 2 translated")
    assert printed.err == (
        f"failed: {tmp_path}/in/b.png: the window (top 0, left 4, height 8, width 8) reaches beyond the image, "
        "which is (top 0, left 0, height 16, width 8)\n"
    )


def test_a_scale(translate: Command, tmp_path: Path) -> None:
    assert translate("--scale", 2.5) == 0
    assert sizes(tmp_path / "out") == {"a.png": (20, 30), "b.png": (40, 20)}


def test_a_region_lies_in_the_scaled_picture(translate: Command, tmp_path: Path) -> None:
    assert translate("--scale", 2, "--region", "8,8,8,8") == 0
    assert sizes(tmp_path / "out") == {"a.png": (8, 8), "b.png": (8, 8)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--region", "8,8"), "region '8,8': expected TOP,LEFT,HEIGHT,WIDTH in pixels, such as 0,256,512,512"),
        (("--region", "0,0,0,8"), "region (0, 0, 0, 8): expected top and left of 0 or more, height and width of 1 or"),
        (("--scale", "0"), "scale must be a positive number, got 0"),
        (("--scale=-1.5",), "scale must be a positive number, got -1.5"),
        (("--scale", "nan"), "scale must be a positive number, got nan"),
        (("--engine", "steam"), "engine 'steam' is not one of auto, "),
        (("--precision", "fp64"), "precision 'fp64' is not one of fp32, fp16, bf16"),
        (("--precision", "bf16"), "torch.bfloat16 cannot be used: a CPU is faster in float32"),
    ],
)
def test_options_that_no_picture_could_satisfy_are_refused(
    translate: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    assert translate(*options) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not (tmp_path / "out").exists()


def test_a_scale_that_leaves_nothing_is_told_of_each_picture(
    translate: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert translate("--scale", 0.01) == 1
    assert "a.png: scale 0.01 leaves no pixel of 12x8 (width x height)" in capsys.readouterr().err


def test_which_engine_was_chosen_is_said_when_asked(translate: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert translate("--engine", "reference") == 0
    assert capsys.readouterr().err == ""
    assert translate("--engine", "reference", "--overwrite", "--verbose") == 0
    assert capsys.readouterr().err == "engine: reference, as asked for\n"
    assert translate("--overwrite", "--verbose") == 0
    assert capsys.readouterr().err.startswith("engine: ")
