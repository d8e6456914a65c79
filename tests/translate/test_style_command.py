"""`pixelwise translate`: how pictures look, as options: styles, seeds and samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_model import LABELS, TINY_RIVALS, save_tiny_rival
from tiny_pairs import draw

from pixelwise import images
from pixelwise.translate import load

Command = Callable[..., int]


@pytest.fixture
def translate_by(pixelwise_command: Command, tmp_path: Path) -> Command:
    """Translates two label maps of 40 x 48 by a rival, the first argument; takes further options."""
    draw(tmp_path / "in" / "a.png", (40, 48))
    draw(tmp_path / "in" / "b.png", (40, 48))

    def run(name: str, *options: object) -> int:
        model = save_tiny_rival(tmp_path / "model.safetensors", TINY_RIVALS[name])
        where = ("--model", model, "--out", tmp_path / "out", "--device", "cpu", "--overwrite")
        return pixelwise_command("translate", tmp_path / "in", *where, *options)

    return run


def photo(path: Path, height: int = 40, seed: int = 0) -> Path:
    images.write(path, np.random.default_rng(seed).integers(0, 256, (height, 48, 3), np.uint8))
    return path


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_samples_bear_the_names_of_their_seeds(translate_by: Command, tmp_path: Path) -> None:
    assert translate_by("spade", "--seed", 4, "--samples", 2, "--batch-size", 2) == 0
    assert names(tmp_path / "out") == ["a-4.png", "a-5.png", "b-4.png", "b-5.png"]
    ids = images.read_ids(tmp_path / "in" / "b.png")
    expected = load(tmp_path / "model.safetensors", "cpu")(ids, seed=5)
    np.testing.assert_array_equal(images.read(tmp_path / "out" / "b-5.png"), expected)
    assert translate_by("spade", "--seed", 5) == 0
    np.testing.assert_array_equal(images.read(tmp_path / "out" / "b.png"), expected)


@pytest.mark.parametrize("one_for_all", [True, False])
def test_a_style_for_all_or_one_for_each(translate_by: Command, tmp_path: Path, one_for_all: bool) -> None:
    pictures = [photo(tmp_path / "styles" / name, seed=seed) for seed, name in enumerate(("a.png", "b.png"))]
    assert translate_by("spade", "--style", pictures[0] if one_for_all else pictures[0].parent) == 0
    translator = load(tmp_path / "model.safetensors", "cpu")
    for name, style in (("a.png", pictures[0]), ("b.png", pictures[0] if one_for_all else pictures[1])):
        expected = translator(images.read_ids(tmp_path / "in" / name), style=images.read(style))
        np.testing.assert_array_equal(images.read(tmp_path / "out" / name), expected)


def test_a_style_picture_that_shows_something_else_comes_with_its_label_map(
    translate_by: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    style, maps = photo(tmp_path / "style.png", height=30), draw(tmp_path / "labels.png", (30, 48))
    assert translate_by("sean", "--style", style, "--style-labels", maps) == 0
    translator = load(tmp_path / "model.safetensors", "cpu")
    found = translator.styles.of(images.read(style), images.read_ids(maps))
    expected = translator(images.read_ids(tmp_path / "in" / "a.png"), style=found)
    np.testing.assert_array_equal(images.read(tmp_path / "out" / "a.png"), expected)
    capsys.readouterr()
    assert translate_by("sean", "--style", style) == 1
    told = capsys.readouterr().err
    assert "style.png: is 48x30, " in told
    assert "in/a.png is 48x40 (width x height); as classes have styles of their own" in told
    assert "or come with its label map, --style-labels" in told


def test_one_class_looks_as_in_another_picture(
    translate_by: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (face, friend), maps = (photo(tmp_path / f"{n}.png", seed=n) for n in (0, 1)), draw(tmp_path / "maps.png", (40, 48))
    wanted = ("--style", face, "--style-labels", maps, "--class-style", f"{LABELS.names[1]}={friend},{maps}")
    assert translate_by("groupdnet", *wanted, "--samples", 2) == 1
    assert "leaves nothing to chance" in capsys.readouterr().err
    assert translate_by("sean", *wanted) == 0
    translator = load(tmp_path / "model.safetensors", "cpu")
    one, other = (translator.styles.of(images.read(path), images.read_ids(maps)) for path in (face, friend))
    for name in ("a.png", "b.png"):
        ids = images.read_ids(tmp_path / "in" / name)
        expected = translator(ids, style=one.with_class(1, other))
        np.testing.assert_array_equal(images.read(tmp_path / "out" / name), expected)
        assert not np.array_equal(translator(ids, style=one), expected)


def test_seeds_draw_one_class_while_the_others_stay(translate_by: Command, tmp_path: Path) -> None:
    assert translate_by("groupdnet", "--redraw", "1", "--seed", 3, "--samples", 2) == 0
    assert names(tmp_path / "out") == ["a-3.png", "a-4.png", "b-3.png", "b-4.png"]
    translator = load(tmp_path / "model.safetensors", "cpu")
    rest = translator.styles.draw(0)
    ids = images.read_ids(tmp_path / "in" / "b.png")
    for seed in (3, 4):
        expected = translator(ids, style=rest.with_class(1, translator.styles.draw(seed)))
        np.testing.assert_array_equal(images.read(tmp_path / "out" / f"b-{seed}.png"), expected)


def test_an_instance_map_of_the_style_picture_is_read_where_it_is_needed(translate_by: Command, tmp_path: Path) -> None:
    style, maps = photo(tmp_path / "style.png"), draw(tmp_path / "labels.png", (40, 48))
    options = ("--instances", maps, "--style", style, "--style-labels", maps, "--style-instances", maps)
    assert translate_by("pix2pixhd", *options) == 0
    assert names(tmp_path / "out") == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dagan", ("--seed", "1"), "this dagan model leaves nothing to chance"),
        ("dagan", ("--scale", "2"), "this dagan model renders whole pictures only"),
        ("dagan", ("--region", "0,0,8,8"), "this dagan model renders whole pictures only"),
        ("dagan", ("--samples", "2"), "this dagan model leaves nothing to chance"),
        ("dagan", ("--style", "in/a.png"), "this dagan model reads no style pictures"),
        ("spade", ("--samples", "0"), "samples must be at least 1, got 0"),
        ("spade", ("--seed", "-1", "--samples", "1"), "seeds run from -1 to -1"),
        ("spade", ("--style", "in/a.png", "--seed", "1"), "this spade model that is given a style"),
        (
            "spade",
            ("--style-labels", "in/a.png"),
            "--style is missing: expected the picture that the given maps belong to",
        ),
        ("spade", ("--style", "in", "--style-labels", "in/a.png"), "--style in: expected the picture that"),
        ("spade", ("--style", "in/a.png", "--style-labels", "in/a.png"), "this spade model has"),
        ("spade", ("--style", "in/a.png", "--style-instances", "in/a.png"), "this spade model has"),
        ("sean", ("--style", "in/a.png", "--style-labels", "in/a.png"), "in/a.png: is a palette image"),
        ("spade", ("--seed", "-1"), "seeds run from -1 to -1"),
        ("spade", ("--style", "nowhere"), "nowhere: no such file or folder"),
        ("sean", ("--redraw", "1"), "this sean model draws no styles"),
        ("spade", ("--redraw", "1"), "this style is of the whole picture"),
        ("dagan", ("--redraw", "1"), "this dagan model draws no styles"),
        ("groupdnet", ("--redraw", "roof"), "there is no class 'roof', expected 0.."),
        ("groupdnet", ("--redraw", "9"), "there is no class 9, expected 0.."),
        ("groupdnet", ("--class-style", "1=in/a.png"), "class style '1=in/a.png': expected CLASS=PICTURE,LABELS"),
        ("groupdnet", ("--class-style", "1=in/a.png,nowhere"), "nowhere: unknown suffix"),
        (
            "sean",
            ("--style", "in/a.png", "--redraw", "1"),
            "--style in/a.png: with --class-style or --redraw",
        ),
    ],
)
def test_what_a_family_cannot_do_is_refused_before_any_picture(
    translate_by: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert translate_by(name, *options) == 1
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not (tmp_path / "out").exists()
