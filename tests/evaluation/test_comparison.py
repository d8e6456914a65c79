"""Several models in a folder: what is kept, gone on with, and shared by processes."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_evaluation import tiny_protocol
from tiny_model import LABEL_MODEL, LABELS, PHOTO_MODEL, save_tiny_denoiser, save_tiny_model
from tiny_pairs import write_pairs

from pixelwise import images
from pixelwise.condition import PairedSample
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.errors import InputError
from pixelwise.evaluation import Comparison, Examination, Protocol, Setting, evaluate, prepare
from pixelwise.evaluation.entrant import check_entrant, is_folder
from pixelwise.evaluation.journal import sample_digest
from pixelwise.evaluation.measure import each
from pixelwise.evaluation.own_data import own_protocol
from pixelwise.evaluation.scores import Progress
from pixelwise.evaluation.worker import Task, Worker, _observe
from pixelwise.translate import load


@pytest.fixture
def examination(data: Path) -> Examination:
    return prepare(Setting(tiny_protocol(rounded=True), data))


@pytest.fixture
def models(model: Path, tmp_path: Path) -> list[str]:
    other = tmp_path / "other.safetensors"
    other.write_bytes(model.read_bytes())
    return [str(model), str(other)]


def test_all_is_kept_that_a_reader_needs(
    examination: Examination, models: list[str], data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    Comparison(examination, folder, "cpu").run(models, "pixelwise evaluate …")
    report = json.loads((folder / "report.json").read_text())
    expected = evaluate(load(models[0], "cpu"), tiny_protocol(rounded=True), data)
    assert (report["protocol"], report["samples"], report["command"]) == ("tiny-v1", 3, "pixelwise evaluate …")
    assert report["targets_sha256"] == expected.targets_digest
    first, second = report["models"]
    assert (first["model"], second["model"]) == ("model", "other")
    assert first["figures"] == second["figures"] == expected.figures
    assert first["scores"] == expected.scores
    assert (first["family"], first["real"], first["runtime"]["size"]) == ("dncnn", False, [40, 60])
    assert first["parameters"] == sum(weight.numel() for weight in load(models[0], "cpu").generator.parameters())
    for part in ("inputs", "targets", first["pictures"]):
        assert sorted(path.name for path in (folder / part).iterdir()) == ["a.png", "b.png", "c.png"]
    target = np.asarray(Image.open(folder / "targets" / "b.png"))
    assert np.array_equal(target[..., 0], np.asarray(Image.open(data / "set12" / "b.png")))


def test_what_was_done_is_not_done_again(
    examination: Examination, models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, int]] = []

    def stop_in_the_second(*done: object) -> None:
        told.append(done)  # type: ignore[arg-type]
        if done == ("other", 1, 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Comparison(examination, tmp_path / "report", "cpu", progress=stop_in_the_second).run(models)
    told.clear()
    comparison = Comparison(examination, tmp_path / "report", "cpu", progress=lambda *done: told.append(done))
    interrupted = comparison.run(models)
    assert told == [("other", 1, 2), ("other", 2, 2)]
    whole = Comparison(examination, tmp_path / "again", "cpu").run(models)
    for name in ("targets_sha256", "samples"):
        assert interrupted[name] == whole[name]
    for found, expected in zip(interrupted["models"], whole["models"], strict=True):
        assert found["figures"] == expected["figures"]
        assert found["scores"] == expected["scores"]


def test_a_folder_of_another_evaluation_is_left_alone(
    examination: Examination, models: list[str], tmp_path: Path
) -> None:
    Comparison(examination, tmp_path / "report", "cpu").run(models)
    setting = replace(examination.setting, protocol=replace(examination.protocol, name="tiny-v2"))
    with pytest.raises(
        InputError, match=r"samples\.sqlite: holds what was observed of the samples of tiny-v1 on .*, exp"
    ):
        Comparison(prepare(setting), tmp_path / "report", "cpu").run(models)


def test_data_that_changed_are_observed_again(
    examination: Examination, models: list[str], data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    before = Comparison(examination, folder, "cpu").run(models)
    images.write(data / "set12" / "b.png", np.full((40, 60, 1), 7, np.uint8))
    told: list[tuple[str, int, int]] = []
    after = Comparison(examination, folder, "cpu", progress=lambda *done: told.append(done)).run(models)
    assert told == [("model", 1, 1), ("other", 1, 1)]
    assert after == Comparison(examination, tmp_path / "fresh", "cpu").run(models) | {
        key: after[key] for key in ("circumstances", "models")
    }
    assert after["targets_sha256"] != before["targets_sha256"]
    assert after["models"][0]["scores"]["b"] != before["models"][0]["scores"]["b"]
    assert np.asarray(Image.open(folder / "targets" / "b.png")).max() == 7


def test_a_measure_that_was_away_when_data_changed_observes_them_too(
    examination: Examination, models: list[str], data: Path, tmp_path: Path
) -> None:
    def scores(asked: Examination, folder: str) -> object:
        return Comparison(asked, tmp_path / folder, "cpu").run(models[:1])["models"][0]["scores"]

    scores(examination, "report")
    images.write(data / "set12" / "b.png", np.full((40, 60, 1), 7, np.uint8))
    scores(replace(examination, measures=examination.measures[:1]), "report")
    assert scores(examination, "report") == scores(examination, "fresh")


def test_inputs_are_shown_as_models_see_them(examination: Examination, models: list[str], tmp_path: Path) -> None:
    def shown(protocol: Protocol, folder: str) -> np.ndarray:
        asked = prepare(replace(examination.setting, protocol=protocol))
        Comparison(asked, tmp_path / folder, "cpu").run(models[:1])
        return np.asarray(Image.open(tmp_path / folder / "inputs" / "a.png")).astype(int)

    whole = shown(examination.protocol, "whole")
    reduced = shown(examination.protocol.from_source((20, 30)), "reduced")
    assert np.abs(np.diff(reduced, axis=1)).mean() < np.abs(np.diff(whole, axis=1)).mean() / 2


def test_a_picture_that_is_gone_is_made_again(examination: Examination, models: list[str], tmp_path: Path) -> None:
    Comparison(examination, tmp_path / "report", "cpu").run(models[:1])
    picture = tmp_path / "report" / "model" / "pictures" / "a.png"
    content = picture.read_bytes()
    picture.unlink()
    Comparison(examination, tmp_path / "report", "cpu").run(models[:1])
    assert picture.read_bytes() == content


def test_all_are_checked_before_any_is_measured(examination: Examination, models: list[str], tmp_path: Path) -> None:
    photos = save_tiny_model(tmp_path / "photos.safetensors", PHOTO_MODEL)
    with pytest.raises(InputError, match=r"photos\.safetensors: tiny-v1: channels of the input picture"):
        Comparison(examination, tmp_path / "report", "cpu").run([models[0], str(photos)])
    assert not (tmp_path / "report").exists()


def test_a_runs_weights_are_called_as_the_run(examination: Examination, models: list[str], tmp_path: Path) -> None:
    runs = [tmp_path / "wide" / "best.safetensors", tmp_path / "narrow" / "last.safetensors"]
    for model, path in zip(models, runs, strict=True):
        path.parent.mkdir()
        Path(model).rename(path)
    report = Comparison(examination, tmp_path / "report", "cpu").run([str(path) for path in runs])
    assert [row["model"] for row in report["models"]] == ["wide-best", "narrow"]


def test_two_models_of_one_name_are_refused(examination: Examination, models: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="each must have a name of its own, other than 'model'"):
        Comparison(examination, tmp_path / "report", "cpu").run([models[0], models[0]])
    with pytest.raises(InputError, match="nothing to evaluate"):
        Comparison(examination, tmp_path / "report", "cpu").run([])


def test_real_pictures_are_judged_as_models_are(examination: Examination, models: list[str], tmp_path: Path) -> None:
    def brightness(picture: torch.Tensor, sample: PairedSample) -> float:
        return float(picture.mean())

    measures = [*examination.measures, each("brightness", brightness, without_target=True)]
    report = Comparison(replace(examination, measures=measures), tmp_path / "report", "cpu").run(models)
    real = report["models"][-1]
    means = [float(examination.sample(index).target.mean()) for index in range(3)]
    assert real == {"model": "real", "figures": {"brightness": pytest.approx(np.mean(means))}, "real": True}


@pytest.mark.slow
def test_processes_share_the_samples(data: Path, models: list[str], tmp_path: Path) -> None:
    # A protocol of the table: processes open it anew.
    examination = prepare(Setting(tiny_protocol(), data))
    alone = Comparison(examination, tmp_path / "alone", "cpu").run(models)
    told: list[tuple[str, int, int]] = []
    shared = Comparison(examination, tmp_path / "shared", "cpu", 2, lambda *done: told.append(done)).run(models)
    assert told[-1] == ("other", 3, 3)
    for found, expected in zip(shared["models"], alone["models"], strict=True):
        assert found["figures"] == expected["figures"]
    assert shared["targets_sha256"] == alone["targets_sha256"]


def test_a_process_that_is_to_end_begins_no_further_sample(
    data: Path, models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, end, done = Setting(tiny_protocol(), data), threading.Event(), []

    class EndedAfterOne(Worker):
        def observe(self, indices: Sequence[int], progress: Progress = lambda *_: None) -> None:
            super().observe(indices, progress)
            done.extend(indices)
            end.set()

    worker = EndedAfterOne(Task(models[0], "cpu", setting, tmp_path, "a test"), prepare(setting))
    monkeypatch.setattr("pixelwise.evaluation.worker._workers", [worker])
    monkeypatch.setattr("pixelwise.evaluation.worker._ends", [end])
    heard = signal.getsignal(signal.SIGINT)
    _observe([0, 1, 2])
    assert done == [0]
    assert signal.getsignal(signal.SIGINT) is heard
    with worker.task.open_journal() as journal:
        samples = worker.examination.samples
        digests = [sample_digest(worker.examination.sample(index), samples) for index in range(3)]
        assert journal.missing(digests, ["psnr"]) == [1, 2]


def test_a_process_that_is_killed_is_no_riddle(
    examination: Examination, models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(ThreadPoolExecutor):
        def __init__(self, num_processes: int, *_: object) -> None:
            super().__init__(num_processes)

        def submit(self, *_: object) -> Future[None]:  # type: ignore[override]
            future: Future[None] = Future()
            future.set_exception(BrokenProcessPool("ended abruptly"))
            return future

    monkeypatch.setattr("pixelwise.evaluation.worker.ProcessPoolExecutor", Killed)
    with pytest.raises(InputError, match=r"one of 8 processes was ended, .*: try fewer --processes"):
        Comparison(examination, tmp_path / "report", "cpu", 8).run(models)


def test_finished_pictures_are_evaluated_as_models_are(
    examination: Examination, models: list[str], tmp_path: Path
) -> None:
    first = Comparison(examination, tmp_path / "first", "cpu").run(models[:1])
    pictures = tmp_path / "theirs"
    (tmp_path / "first" / "model" / "pictures").rename(pictures)
    for path in pictures.iterdir():
        Image.open(path).convert("L").save(path)
    row = Comparison(examination, tmp_path / "second", "cpu").run([str(pictures)])["models"][0]
    assert (row["model"], row["figures"]) == ("theirs", first["models"][0]["figures"])
    assert row["runtime"] is None


def test_a_pixelwise_models_time_is_split_by_stream(
    examination: Examination, models: list[str], tmp_path: Path
) -> None:
    pairs = write_pairs(tmp_path / "pairs")
    pixelwise = save_tiny_model(tmp_path / "pixelwise.safetensors", LABEL_MODEL)
    labels = prepare(Setting(replace(own_protocol(pairs, "val"), measures=("l1",)), pairs))
    (split,) = Comparison(labels, tmp_path / "of labels", "cpu").run([str(pixelwise)])["models"]
    (whole,) = Comparison(examination, tmp_path / "of noise", "cpu").run(models[:1])["models"]
    assert split["runtime"]["low_resolution"] > 0
    assert whole["runtime"]["low_resolution"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), r"theirs: lacks 1 of 3 pictures: b$"),
        (lambda path: path.with_stem("d").write_bytes(path.read_bytes()), r"has 1 pictures that are none .*: d$"),
        (lambda path: Image.open(path).resize((30, 20)).save(path), r"another size .*b\.png is 30x20 for 60x40"),
    ],
)
def test_pictures_that_do_not_match_are_listed(
    examination: Examination, tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    for name in examination.samples.names:
        images.write(tmp_path / "theirs" / f"{name}.png", np.zeros((40, 60), np.uint8))
    change(tmp_path / "theirs" / "b.png")
    with pytest.raises(InputError, match=message):
        Comparison(examination, tmp_path / "report", "cpu").run([str(tmp_path / "theirs")])


def test_a_bundled_name_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("facades", "others"):
        (tmp_path / name).mkdir()
    assert [name for name in ("facades", "./facades", "others") if is_folder(name)] == ["./facades", "others"]


def test_previews_beside_finished_pictures_are_none_themselves(examination: Examination, tmp_path: Path) -> None:
    for name in examination.samples.names:
        images.write(tmp_path / "theirs" / f"{name}.png", np.zeros((40, 60), np.uint8))
        images.write(tmp_path / "theirs" / f"{name}_preview.png", np.zeros((40, 60, 3), np.uint8))
    check_entrant(str(tmp_path / "theirs"), examination)
    images.write(tmp_path / "theirs" / "d_preview.png", np.zeros((40, 60, 3), np.uint8))
    with pytest.raises(InputError, match=r"has 1 pictures that are none of the samples': d_preview$"):
        check_entrant(str(tmp_path / "theirs"), examination)


def test_finished_label_maps_may_have_palettes_and_pictures_may_not(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs")
    maps = pairs / "val" / "label"
    with pytest.raises(InputError, match=r"0\.png: is a palette image"):
        check_entrant(str(maps), prepare(Setting(replace(own_protocol(pairs, "val"), measures=("l1",)), pairs)))
    (pairs / "spec.json").write_text(json.dumps(FolderSpec(("image",), "label", LABELS).to_json()))
    classes = prepare(Setting(own_protocol(pairs, "val"), pairs))
    (row,) = Comparison(classes, tmp_path / "report", "cpu").run([str(maps)])["models"]
    assert row["figures"]["pixel_accuracy"] == 1


def test_a_restorer_of_colours_has_its_cost_on_grey_photos(examination: Examination, tmp_path: Path) -> None:
    model = save_tiny_denoiser(tmp_path / "colours.safetensors", 3)
    (row,) = Comparison(examination, tmp_path / "report", "cpu").run([str(model)])["models"]
    assert row["runtime"]["size"] == (40, 60)
