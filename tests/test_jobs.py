"""Many files at once: names mirror the inputs', what fails is named, the rest is done, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, LABELS, PHOTO_MODEL, save_tiny_model
from torch import Tensor

from pixelwise import images
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.jobs import Job, Outcome, plan, run, speed_text
from pixelwise.translate import Translator, load


@pytest.fixture
def translator(tmp_path: Path) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL), "cpu")


def draw(path: Path, height: int = 6, width: int = 6, seed: int = 0) -> Path:
    labels = np.random.default_rng(seed).integers(0, LABELS.num_channels, (height, width))
    images.write_labels(path, labels, LABELS)
    return path


def destinations(jobs: list[Job], out: Path) -> dict[str, str]:
    return {str(job.source): job.destination.relative_to(out).as_posix() for job in jobs}


def errors(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.job.source.name: outcome.error for outcome in outcomes if outcome.error is not None}


def test_names_mirror_the_inputs(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    paths = [draw(folder / name) for name in ("a.png", "b/a.png", "b/c/d.e.png")]
    mirrored = ["a.png", "b/a.png", "b/c/d.e.png"]
    (folder / "notes.txt").write_text("no image")
    draw(folder / ".hidden.png")
    draw(folder / ".cache" / "x.png")
    assert list(destinations(plan([str(folder)], out), out).values()) == mirrored
    assert list(destinations(plan([f"{folder}/**/*.png"], out), out).values()) == mirrored
    assert list(destinations(plan([f"{folder}/b/*"], out), out).values()) == ["a.png"]
    assert destinations(plan([str(paths[2])], out, ".tif"), out) == {str(paths[2]): "d.e.tif"}


def test_a_file_that_is_named_twice_is_done_once(tmp_path: Path) -> None:
    path = draw(tmp_path / "in" / "a.png")
    assert len(plan([str(path), str(path.parent), f"{path.parent}/*.png"], tmp_path / "out")) == 1


def test_a_name_with_the_signs_of_a_glob_is_a_file_first(tmp_path: Path) -> None:
    path = draw(tmp_path / "a[1].png")
    assert [job.source for job in plan([str(path)], tmp_path / "out")] == [path]


def test_earlier_pictures_within_an_input_are_no_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path / "in" / "a.png")
    draw(tmp_path / "in" / "out" / "a.png")
    assert len(plan([str(tmp_path / "in")], tmp_path / "in" / "out")) == 1
    monkeypatch.chdir(tmp_path / "in")
    assert len(plan(["."], tmp_path / "in" / "out")) == 1
    assert len(plan([str(tmp_path / "in")], Path("out"))) == 1
    assert len(plan(["out"], tmp_path)) == 1


def test_inputs_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for text, message in (
        ("nowhere.png", "nowhere.png: no such file or folder"),
        ("empty", "empty: no images there"),
        ("empty/*.png", r"empty/\*.png: no images there"),
        ("empty/a**b", r"empty/a\*\*b: "),
    ):
        with pytest.raises(InputError, match=message):
            plan([f"{tmp_path}/{text}"], tmp_path / "out")
    with pytest.raises(InputError, match="an input is the empty text"):
        plan([""], tmp_path / "out")


def test_links_are_followed_and_those_that_lead_nowhere_named(translator: Translator, tmp_path: Path) -> None:
    draw(tmp_path / "far" / "a.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "far")
    (tmp_path / "in" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "out")))
    assert errors(outcomes) == {"lost.png": f"{tmp_path}/in/lost.png: no such file"}
    assert (tmp_path / "out" / "linked" / "a.png").is_file()


def test_two_inputs_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = draw(tmp_path / "x" / "a.png"), draw(tmp_path / "y" / "a.png")
    with pytest.raises(InputError, match=r"x/a.png, .*y/a.png would all become .*out/a.png"):
        plan([str(first), str(second)], tmp_path / "out")
    images.write(first.with_suffix(".tif"), np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match=r"x/a.png, .*x/a.tif would all become"):
        plan([str(first.parent)], tmp_path / "out")


def test_an_input_is_never_replaced(tmp_path: Path) -> None:
    path = draw(tmp_path / "in" / "a.png")
    with pytest.raises(InputError, match=r"in/a.png: is an input"):
        plan([str(path)], path.parent / ".." / "in")
    assert [job.destination.name for job in plan([str(path)], path.parent, ".tif")] == ["a.tif"]
    with pytest.raises(InputError, match=r"ids/a.png: is an input"):
        plan([str(path)], draw(tmp_path / "ids" / "a.png").parent, instances=tmp_path / "ids")


def test_pictures_are_those_of_the_translator(translator: Translator, tmp_path: Path) -> None:
    paths = [draw(tmp_path / "in" / f"{index}.png", *size) for index, size in enumerate([(6, 9), (5, 4)])]
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "out")))
    assert [outcome.size for outcome in outcomes] == [(6, 9), (5, 4)]
    assert all(outcome.seconds > 0 for outcome in outcomes)
    for path in paths:
        expected = translator(images.read_ids(path))
        np.testing.assert_array_equal(images.read(tmp_path / "out" / path.name), expected)


def test_neighbours_of_one_size_are_one_batch(
    translator: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index, height in enumerate((6, 6, 6, 5, 6)):
        draw(tmp_path / "in" / f"{index}.png", height, seed=index)
    jobs = plan([str(tmp_path / "in")], tmp_path / "single")
    list(run(translator, jobs))
    lengths, translate = [], translator.translate

    def counted(condition: Condition) -> Tensor:
        lengths.append(len(condition))
        return translate(condition)

    monkeypatch.setattr(translator, "translate", counted)
    list(run(translator, plan([str(tmp_path / "in")], tmp_path / "batched"), batch_size=2))
    assert lengths == [2, 1, 1, 1]
    for job in jobs:
        # Convolutions sum in another order, which may turn a value at the edge of rounding.
        difference = images.read(job.destination) - images.read(tmp_path / "batched" / job.source.name).astype(int)
        assert abs(difference).max() <= 1


def test_files_are_read_when_their_turn_comes(translator: Translator, tmp_path: Path) -> None:
    paths = [draw(tmp_path / "in" / f"{index}.png") for index in range(3)]
    outcomes = run(translator, plan([str(tmp_path / "in")], tmp_path / "out"))
    assert next(outcomes).error is None
    paths[1].unlink()
    assert list(errors(list(outcomes))) == ["1.png"]


def test_one_corrupt_jpeg_among_a_hundred_is_named_and_the_rest_is_done(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL))
    for index in range(100):
        images.write(tmp_path / "in" / f"{index:03}.jpg", np.full((8, 8, 3), index, np.uint8))
    broken = tmp_path / "in" / "042.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "out"), batch_size=8))
    assert len(outcomes) == 100
    assert list(errors(outcomes)) == ["042.jpg"]
    assert errors(outcomes)["042.jpg"].startswith(f"{broken}: cannot be read, it may be damaged")
    assert len(list((tmp_path / "out").iterdir())) == 99


def test_every_kind_of_unfit_input_is_named(translator: Translator, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    draw(folder / "good.png")
    (folder / "empty.png").touch()
    images.write(folder / "ids.png", np.full((4, 4), 200, np.uint8))
    images.write(folder / "colours.png", np.full((4, 4, 3), 200, np.uint8))
    images.write(folder / "photo.jpg", np.full((4, 4, 3), 200, np.uint8))
    assert errors(list(run(translator, plan([str(folder)], tmp_path / "out")))) == {
        "colours.png": f"{folder}/colours.png: colour #c8c8c8 (16 pixels) not among the spec's 4 colours",
        "empty.png": f"{folder}/empty.png: is empty (0 bytes)",
        "ids.png": f"{folder}/ids.png: id 200 (16 pixels) not in the label spec (3 classes with ids 1..4, 0 is don't "
        "care)",
        "photo.jpg": f"{folder}/photo.jpg: .jpg changes ids when it compresses; save the map as PNG",
    }
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


def test_a_photo_of_other_channels_is_named(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL))
    images.write(tmp_path / "a.png", np.zeros((4, 4, 4), np.uint8))
    (outcome,) = run(translator, plan([str(tmp_path / "a.png")], tmp_path / "out"))
    assert outcome.error == f"{tmp_path}/a.png: is 4x4x4 uint8, expected 3 channels of uint8"


def test_a_picture_is_replaced_only_when_asked_for(translator: Translator, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw(tmp_path / "in" / name)
    there = tmp_path / "out" / "a.png"
    there.parent.mkdir()
    there.write_bytes(b"precious")
    jobs = plan([str(tmp_path / "in")], tmp_path / "out")
    assert list(errors(list(run(translator, jobs)))) == ["a.png"]
    assert there.read_bytes() == b"precious"
    assert (tmp_path / "out" / "b.png").is_file()
    assert not errors(list(run(translator, jobs, overwrite=True)))
    assert images.read(there).shape == (6, 6, 3)


def test_instance_maps_are_matched_by_name(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL))
    for name in ("a.png", "b/c.png", "b/alone.png"):
        draw(tmp_path / "in" / name)
    images.write(tmp_path / "ids" / "a.png", np.zeros((6, 6), np.uint8))
    images.write(tmp_path / "ids" / "b" / "c.TIF", np.zeros((6, 6), np.uint16))
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "out", instances=tmp_path / "ids")))
    assert list(errors(outcomes)) == ["alone.png"]
    assert f"{tmp_path}/ids/b/alone.png: no such file" in errors(outcomes)["alone.png"]
    with pytest.raises(InputError, match="gone: no such folder"):
        plan([str(tmp_path / "in")], tmp_path / "out", instances=tmp_path / "gone")


def test_what_no_job_could_survive_is_refused_at_once(translator: Translator, tmp_path: Path) -> None:
    path = str(draw(tmp_path / "in" / "a.png"))
    with pytest.raises(InputError, match="the model reads none"):
        next(run(translator, plan([path], tmp_path / "out", instances=tmp_path)))
    with pytest.raises(InputError, match=r"cannot write '.gif' files, expected one of .png"):
        next(run(translator, plan([path], tmp_path / "out", ".gif")))
    with_instances = load(save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL))
    with pytest.raises(InputError, match="reads instance maps too"):
        next(run(with_instances, plan([path], tmp_path / "out")))
    depth = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, target=ImageSpec(1, "uint16")))
    with pytest.raises(InputError, match="JPEG cannot keep 1x1 uint16"):
        next(run(depth, plan([path], tmp_path / "out", ".jpg")))


def test_a_batch_that_does_not_fit_into_memory_is_done_one_by_one(
    translator: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(3):
        draw(tmp_path / "in" / f"{index}.png", seed=index)
    translate = translator.translate

    def cramped(condition: Condition) -> Tensor:
        if len(condition) > 1 or torch.equal(condition.labels[0], translator.read_condition(large).labels[0]):
            raise RuntimeError("not enough memory")
        return translate(condition)

    large = tmp_path / "in" / "1.png"
    monkeypatch.setattr(translator, "translate", cramped)
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "out"), batch_size=3))
    assert errors(outcomes) == {"1.png": f"{large}: not enough memory"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "2.png"]


def test_a_picture_that_the_format_cannot_hold_is_named_and_the_rest_is_done(
    translator: Translator, tmp_path: Path
) -> None:
    draw(tmp_path / "in" / "a.png", 1, 65501)
    draw(tmp_path / "in" / "b.png")
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "out", ".jpg")))
    assert list(errors(outcomes)) == ["a.png"]
    assert "JPEG holds at most 65500 pixels a side" in errors(outcomes)["a.png"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.jpg"]


def test_a_full_disk_is_told_and_leaves_no_half_picture(
    translator: Translator, tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    small, large = draw(tmp_path / "in" / "a.png"), draw(tmp_path / "in" / "b.png", 100, 100)
    with full_disk(2000):
        outcomes = list(run(translator, plan([str(small.parent)], tmp_path / "out")))
    assert list(errors(outcomes)) == [large.name]
    assert "out/b.png: cannot be written" in errors(outcomes)["b.png"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_speed_is_told_of_what_was_done() -> None:
    job = Job(Path("a.png"), Path("b.png"))
    outcomes = [Outcome(job, (1000, 500), 0.1), Outcome(job, (1000, 1500), 0.3), Outcome(job, error="lost")]
    assert speed_text(outcomes) == "200 ms per image, 200 ms per megapixel"
    assert speed_text(outcomes[2:]) == ""
