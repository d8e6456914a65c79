"""`pixelwise translate`: parts, scales and engines as options. More of it is in test_cli.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import tifffile
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


def test_one_picture_may_be_named(pixelwise_command: Command, tmp_path: Path) -> None:
    source, model = draw(tmp_path / "a.png", (8, 12)), save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    command = ("translate", source, "--model", model, "--scale", 2, "--out")
    for name in ("out.png", "out.tif", "new/b.jpg"):
        assert pixelwise_command(*command, tmp_path / name) == 0
        assert images.read(tmp_path / name).shape == (16, 24, 3)


def test_without_a_place_pictures_go_beside_their_inputs(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_tiny_model(tmp_path / "mine.safetensors", LABEL_MODEL)
    source = draw(tmp_path / "in" / "a.png", (8, 12))
    assert pixelwise_command("translate", source, "--model", model) == 0
    made = tmp_path / "in" / "a_mine.png"
    assert capsys.readouterr().out.startswith(f"1 of 1 translated to {made}: ")
    before = made.read_bytes()
    assert pixelwise_command("translate", source, "--model", model, "--scale", 2) == 1
    assert f"{made} is there already, and may be replaced with --overwrite only" in capsys.readouterr().err
    assert made.read_bytes() == before
    assert pixelwise_command("translate", source, "--model", model, "--format", "tif") == 0
    assert capsys.readouterr().out.startswith(f"1 of 1 translated to {made.with_suffix('.tif')}: ")
    with tifffile.TiffFile(made.with_suffix(".tif")) as plain:
        assert not plain.pages.first.is_tiled, "only a TIFF that was named, or a large one, is a pyramid"
    assert pixelwise_command("translate", source.parent, "--model", model) == 0
    note = f"note: left out 2 pictures that mine has made of other inputs, such as {tmp_path}/in/a_mine.png\n"
    assert capsys.readouterr().err == note
    draw(tmp_path / "maps" / "b" / "c.png", (8, 12))
    assert pixelwise_command("translate", tmp_path / "maps", "--model", model) == 0
    assert images.read(tmp_path / "maps_mine" / "b" / "c.png").shape == (8, 12, 3)


def test_pictures_are_named_after_the_run_that_made_them(pixelwise_command: Command, tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "wide" / "last.safetensors", LABEL_MODEL)
    source = draw(tmp_path / "a.png", (8, 12))
    assert pixelwise_command("translate", source, "--model", model) == 0
    assert (tmp_path / "a_wide.png").is_file()
    best = model.rename(model.with_stem("best"))
    assert pixelwise_command("translate", source, "--model", best) == 0
    assert (tmp_path / "a_wide-best.png").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "1"), "this asapnet model leaves nothing to chance"),
        (("--style", "a.png"), "this asapnet model reads no style pictures"),
        (("--style-labels", "a.png"), "--style is missing: expected the picture that the given maps belong to"),
        (("--style-instances", "a.png"), "--style is missing: expected the picture that the given maps belong to"),
        (("--redraw", "a"), "this asapnet model draws no styles"),
        (("--samples", "2"), "large.tif: is one picture's name, but 2 samples are wanted"),
    ],
)
def test_what_the_model_of_a_large_picture_cannot_do_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pixelwise_command: Command,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "a.png", (8, 12))
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    assert pixelwise_command("translate", "a.png", "--model", model, "--out", "large.tif", *options) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not (tmp_path / "large.tif").exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--seed", "0"),
        ("--style", "a.png"),
        ("--style-labels", "a.png"),
        ("--style-instances", "a.png"),
        ("--class-style", "a=a.png,a.png"),
        ("--redraw", "a"),
    ],
)
def test_what_a_deep_zoom_cannot_have_is_refused_by_the_options_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pixelwise_command: Command,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "a.png", (8, 12))
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    assert pixelwise_command("translate", "a.png", "--model", model, "--out", "a.dzi", *options) == 1
    message = f"error: {options[0]}: not with a.dzi, which is made by rows; write such as a.tif\n"
    assert capsys.readouterr().err == message


def test_many_pictures_do_not_become_deep_zoom(
    translate: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert translate("--format", "dzi") == 1
    expected = (
        "error: --format dzi: Deep Zoom is made of one file, with --out NAME.dzi; expected png, jpg, tif or npy\n"
    )
    assert capsys.readouterr().err == expected
    assert not (tmp_path / "out").exists()


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
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {message}")
    assert not printed.out
    assert not (tmp_path / "out").exists()


def test_a_scale_that_leaves_nothing_is_told_of_each_picture(
    translate: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert translate("--scale", 0.01) == 1
    assert "a.png: scale 0.01 leaves no pixel of 12x8 (width x height)" in capsys.readouterr().err


def test_a_scale_that_no_memory_holds_is_refused_before_it_is_tried(
    translate: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelwise.translate.translator.free_memory", lambda: 10**9)
    assert translate("--scale", 1000, "--format", "npy") == 1
    assert "a picture of 12000x8000 (width x height) takes 1.2 GB, 1.0 GB of memory are free" in capsys.readouterr().err
    assert translate("--scale", 1000, "--format", "npy", "--region", "0,0,8,8", "--overwrite") == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [("--style-labels", "{0}"), ("--style-instances", "{0}"), ("--class-style", "a={0},b.png"),
     ("--class-style", "a=b.jpg,b.png,{0}")],
)  # fmt: skip
def test_what_says_how_pictures_are_to_look_is_never_replaced(
    translate: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    look = draw(tmp_path / "out" / "a.png")
    before = look.read_bytes()
    assert translate(option, value.format(look), "--overwrite") == 1
    assert f"{look}: is an input and would be replaced by a picture" in capsys.readouterr().err
    assert look.read_bytes() == before


def test_which_engine_was_chosen_is_said_when_asked(translate: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert translate("--engine", "reference") == 0
    assert capsys.readouterr().err == ""
    assert translate("--engine", "reference", "--overwrite", "--verbose") == 0
    assert capsys.readouterr().err == "engine: reference, as asked for\n"
    assert translate("--overwrite", "--verbose") == 0
    assert capsys.readouterr().err.startswith("engine: ")
