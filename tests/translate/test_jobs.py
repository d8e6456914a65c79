"""Many files at once: what fails is named, the rest is done, nothing is lost."""

from __future__ import annotations

import signal
import threading
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
from pixelwise.native import library
from pixelwise.translate import Translator, jobs, load
from pixelwise.translate.job_plan import Job, plan
from pixelwise.translate.jobs import Outcome, run, speed_text
from pixelwise.translate.restoration import Form


@pytest.fixture
def translator(tmp_path: Path) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL), "cpu")


def draw(path: Path, height: int = 6, width: int = 6, seed: int = 0) -> Path:
    labels = np.random.default_rng(seed).integers(0, LABELS.num_channels, (height, width))
    images.write_labels(path, labels, LABELS)
    return path


def errors(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.job.source.name: outcome.error for outcome in outcomes if outcome.error is not None}


def test_links_are_followed_and_those_that_lead_nowhere_named(translator: Translator, tmp_path: Path) -> None:
    draw(tmp_path / "far" / "a.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "far")
    (tmp_path / "in" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "out")))
    assert errors(outcomes) == {"lost.png": f"{tmp_path}/in/lost.png: no such file"}
    assert (tmp_path / "out" / "linked" / "a.png").is_file()


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

    def counted(condition: Condition, *view: object) -> Tensor:
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
    paths = [draw(tmp_path / "in" / f"{index}.png") for index in range(9)]
    outcomes = run(translator, plan([str(tmp_path / "in")], tmp_path / "out"))
    assert next(outcomes).error is None
    # Two pictures may wait for the writer, two more may have been read.
    for path in paths[5:]:
        path.unlink()
    assert list(errors(list(outcomes))) == ["5.png", "6.png", "7.png", "8.png"]


def test_outcomes_come_in_the_order_of_the_jobs(translator: Translator, tmp_path: Path) -> None:
    for index, height in enumerate((6, 6, 0, 6, 5, 0, 6, 6)):
        path = draw(tmp_path / "in" / f"{index}.png", height or 1)
        if not height:
            path.write_bytes(b"")
    jobs = plan([str(tmp_path / "in")], tmp_path / "out")
    outcomes = list(run(translator, jobs, batch_size=3))
    assert [outcome.job for outcome in outcomes] == jobs
    assert list(errors(outcomes)) == ["2.png", "5.png"]


def test_a_region_or_a_scale_is_that_of_every_picture(translator: Translator, tmp_path: Path) -> None:
    draw(tmp_path / "in" / "a.png", 8, 12)
    draw(tmp_path / "in" / "b.png", 10, 8)
    jobs = plan([str(tmp_path / "in")], tmp_path / "whole")
    assert [outcome.size for outcome in run(translator, jobs)] == [(8, 12), (10, 8)]
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "part"), region=(2, 3, 4, 9)))
    assert [outcome.size for outcome in outcomes] == [(4, 9), (0, 0)]
    whole, part = (images.read(tmp_path / folder / "a.png").astype(int) for folder in ("whole", "part"))
    assert abs(part - whole[2:6, 3:12]).max() <= 1
    assert errors(outcomes)["b.png"].startswith(f"{tmp_path}/in/b.png: the window (top 2, left 3, height 4, width 9)")
    outcomes = list(run(translator, plan([str(tmp_path / "in")], tmp_path / "large"), scale=1.5))
    assert [outcome.size for outcome in outcomes] == [(12, 18), (15, 12)]


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
    with pytest.raises(InputError, match="gone: no such file or folder"):
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
    for scale in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="scale must be a positive number, got"):
            next(run(translator, plan([path], tmp_path / "out"), scale=scale))
    for region in ((0, 0, 0, 1), (-1, 0, 1, 1)):
        with pytest.raises(InputError, match="expected top and left of 0 or more, height and width of 1 or more"):
            next(run(translator, plan([path], tmp_path / "out"), region=region))
    depth = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, target=ImageSpec(1, "uint16")))
    with pytest.raises(InputError, match=r"\*\.jpg: JPEG cannot keep 1 channel of uint16"):
        next(run(depth, plan([path], tmp_path / "out", ".jpg")))


def test_a_batch_that_does_not_fit_into_memory_is_done_one_by_one(
    translator: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(3):
        draw(tmp_path / "in" / f"{index}.png", seed=index)
    translate = translator.translate

    def cramped(condition: Condition, *view: object) -> Tensor:
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


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def at_work() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pixelwise-")]


def test_threads_end_when_nobody_wants_to_know_more(translator: Translator, tmp_path: Path) -> None:
    for index in range(9):
        draw(tmp_path / "in" / f"{index}.png")
    outcomes = run(translator, plan([str(tmp_path / "in")], tmp_path / "out"))
    next(outcomes)
    assert at_work()
    outcomes.close()
    assert not at_work()
    assert "8.png" not in names(tmp_path / "out")


def test_an_interruption_leaves_whole_pictures_and_tells_of_them(
    translator: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    translate, write = translator.translate, jobs.store
    is_writing, is_interrupted = threading.Event(), threading.Event()

    def interrupted(condition: Condition, *view: object) -> Tensor:
        if is_writing.wait(0):
            is_interrupted.set()
            raise KeyboardInterrupt
        return translate(condition)

    def slow(path: Path, content: bytes) -> None:
        if path.name == "3.png":
            is_writing.set()
            assert is_interrupted.wait(60)
        write(path, content)

    monkeypatch.setattr(Translator, "does_errands", False)
    monkeypatch.setattr(translator, "translate", interrupted)
    monkeypatch.setattr(jobs, "store", slow)
    check_interrupted(translator, tmp_path)


@pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")
def test_an_interruption_while_kernels_write_leaves_whole_pictures_too(
    translator: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_bytes = Form.to_bytes

    def interrupted(form: Form, path: Path, stored: np.ndarray) -> bytes:
        if path.name == "3.png":
            signal.raise_signal(signal.SIGINT)
        return to_bytes(form, path, stored)

    monkeypatch.setattr(Form, "to_bytes", interrupted)
    assert translator.does_errands
    check_interrupted(translator, tmp_path)


def check_interrupted(translator: Translator, folder: Path) -> None:
    """Of nine pictures those that are there are told of before the interruption; among them 3.png, which it met."""
    for index in range(9):
        draw(folder / "in" / f"{index}.png", seed=index)
    told: list[Outcome] = []
    with pytest.raises(KeyboardInterrupt):
        told.extend(run(translator, plan([str(folder / "in")], folder / "out")))
    assert [outcome.job.destination.name for outcome in told] == names(folder / "out")
    assert "3.png" in names(folder / "out")
    assert "8.png" not in names(folder / "out")
    assert not errors(told)
    assert not at_work()


def test_speed_is_told_of_what_was_done() -> None:
    job = Job(Path("a.png"), Path("b.png"))
    outcomes = [Outcome(job, (1000, 500), 0.1), Outcome(job, (1000, 1500), 0.3), Outcome(job, error="lost")]
    assert speed_text(outcomes) == "200 ms per image, 200 ms per megapixel"
    assert speed_text(outcomes[2:]) == ""
