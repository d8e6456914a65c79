"""Pictures too large for memory among others: each goes by rows in its turn, and is told of like the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from tiny_model import LABEL_MODEL, LABELS, save_tiny_denoiser, save_tiny_model

from pixelwise import images, terminal
from pixelwise.translate import Translator, jobs, large, load
from pixelwise.translate.job_plan import Job, plan
from pixelwise.translate.jobs import Outcome, run
from pixelwise.translate.large import translate_large
from pixelwise.translate.stored_condition import StoredCondition

Command = Callable[..., int]

LARGE = (20, 30)


@pytest.fixture
def translator(tmp_path: Path) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL), "cpu")


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of 600 pixels a picture is large; the names of those that have gone by rows."""
    monkeypatch.setattr(large, "_LARGE", 599)
    names: list[str] = []

    def recorded(translator: Translator, source: Path, *where: object, **how: object) -> object:
        names.append(source.name)
        return translate_large(translator, source, *where, **how)

    monkeypatch.setattr(jobs, "translate_large", recorded)
    return names


def draw(path: Path, size: tuple[int, int] = (6, 6)) -> Path:
    images.write_labels(path, np.random.default_rng(0).integers(0, LABELS.num_channels, size), LABELS)
    return path


def planned(tmp_path: Path, suffix: str = ".png") -> list[Job]:
    return plan([str(tmp_path / "in")], tmp_path / "out", suffix)


def errors(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.job.source.name: outcome.error for outcome in outcomes if outcome.error is not None}


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_large_pictures_keep_their_turn_among_small_ones(
    translator: Translator, tmp_path: Path, by_rows: list[str], suffix: str
) -> None:
    sizes = [(6, 6), (6, 6), LARGE, (6, 6), (30, 40), (5, 6)]
    paths = [draw(tmp_path / "in" / f"{index}.png", size) for index, size in enumerate(sizes)]
    outcomes = list(run(translator, planned(tmp_path, suffix), batch_size=3))
    assert [outcome.job.source for outcome in outcomes] == paths
    assert [outcome.size for outcome in outcomes] == sizes
    assert all(outcome.seconds > 0 for outcome in outcomes)
    assert by_rows == ["2.png", "4.png"]
    for path in paths:
        found = images.read(tmp_path / "out" / f"{path.stem}{suffix}").astype(int)
        assert np.abs(found - translator(images.read_ids(path))).max() <= 1


def test_a_large_one_that_fails_is_named_and_the_rest_is_done(
    translator: Translator, tmp_path: Path, by_rows: list[str]
) -> None:
    for name, size in (("a", LARGE), ("c", (6, 6)), ("d", LARGE)):
        draw(tmp_path / "in" / f"{name}.png", size)
    images.write(tmp_path / "in" / "b.png", np.full(LARGE, 200, np.uint8))
    outcomes = list(run(translator, planned(tmp_path)))
    assert by_rows == ["a.png", "b.png", "d.png"]
    assert list(errors(outcomes)) == ["b.png"]
    assert errors(outcomes)["b.png"].startswith(f"{tmp_path}/in/b.png: rows 0 to ")
    assert "id 200" in errors(outcomes)["b.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png", "d.png"]


def test_a_large_picture_is_replaced_only_when_asked_for(
    translator: Translator, tmp_path: Path, by_rows: list[str]
) -> None:
    for name, size in (("a", LARGE), ("b", (6, 6))):
        draw(tmp_path / "in" / f"{name}.png", size)
    there = tmp_path / "out" / "a.png"
    there.parent.mkdir()
    there.write_bytes(b"precious")
    outcomes = list(run(translator, planned(tmp_path)))
    assert errors(outcomes) == {"a.png": f"{tmp_path}/in/a.png: {there} is there already, and may be replaced with "
                                "--overwrite only"}  # fmt: skip
    assert there.read_bytes() == b"precious"
    assert not errors(list(run(translator, planned(tmp_path), overwrite=True)))
    assert images.read(there).shape == (*LARGE, 3)


@pytest.mark.usefixtures("by_rows")
def test_a_full_disk_fails_a_large_picture_alone(
    translator: Translator, tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    draw(tmp_path / "in" / "a.png", (100, 100))  # whose layers of the stream take 20 kB
    draw(tmp_path / "in" / "b.png")
    with full_disk(2000):
        outcomes = list(run(translator, planned(tmp_path)))
    assert list(errors(outcomes)) == ["a.png"]
    assert "out/a.png: cannot be written" in errors(outcomes)["a.png"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_a_large_photo_is_remarked_upon_like_small_ones(
    tmp_path: Path, by_rows: list[str], pixelwise_command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_tiny_denoiser(tmp_path / "model.safetensors", 1)
    for name, size in (("a", (8, 8)), ("b", LARGE)):
        images.write(tmp_path / "in" / f"{name}.png", np.zeros((*size, 3), np.uint8))
    assert pixelwise_command("translate", tmp_path / "in", "--model", model, "--out", tmp_path / "out") == 0
    assert by_rows == ["b.png"]
    told = capsys.readouterr()
    assert told.out.startswith(f"2 of 2 translated to {tmp_path / 'out'}: ")
    note = "grey model on a colour photo: each channel by itself"
    assert told.err == f"note: {tmp_path}/in/a.png and 1 more: {note}\n"


@pytest.mark.usefixtures("by_rows")
def test_a_region_of_large_and_small_ones(translator: Translator, tmp_path: Path) -> None:
    draw(tmp_path / "in" / "a.png", LARGE)
    draw(tmp_path / "in" / "b.png", (12, 12))
    outcomes = list(run(translator, planned(tmp_path), region=(2, 3, 9, 8)))
    assert [outcome.size for outcome in outcomes] == [(9, 8), (9, 8)]
    whole = translator(images.read_ids(tmp_path / "in" / "a.png")).astype(int)
    assert np.abs(images.read(tmp_path / "out" / "a.png") - whole[2:11, 3:11]).max() <= 1


@pytest.mark.usefixtures("by_rows")
def test_seconds_are_the_models(translator: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path / "a.png", LARGE)
    now = 0
    rows, write = StoredCondition.rows, large._write

    def slow_rows(*arguments: object) -> object:
        nonlocal now
        now += 100
        return rows(*arguments)

    @contextmanager
    def slow_write(*arguments: object) -> Iterator[Callable[[np.ndarray], None]]:
        def slow_push(part: np.ndarray) -> None:
            nonlocal now
            now += 100
            push(part)

        with write(*arguments) as push:
            yield slow_push

    def slow_bands(*arguments: object) -> Iterator[object]:
        nonlocal now
        for band in bands(*arguments):
            now += 7
            yield band

    bands = large._bands
    monkeypatch.setattr(large, "perf_counter", lambda: now)
    monkeypatch.setattr(StoredCondition, "rows", slow_rows)
    monkeypatch.setattr(large, "_write", slow_write)
    monkeypatch.setattr(large, "_bands", slow_bands)
    (outcome,) = run(translator, plan([str(tmp_path / "a.png")], tmp_path / "out"))
    assert now > 200
    assert outcome.seconds == 7


@pytest.mark.usefixtures("by_rows")
def test_the_bar_grows_by_rows_while_a_large_picture_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pixelwise_command: Command
) -> None:
    shown: list[tuple[float, int]] = []

    @contextmanager
    def bar() -> Iterator[Callable[[float, int], None]]:
        yield lambda done, total: shown.append((done, total))

    monkeypatch.setattr(terminal, "progress_bar", bar)
    monkeypatch.setattr("pixelwise.models.streamed_asapnet.BAND_BYTES", 8 * 4 * 3 * LARGE[1])
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    draw(tmp_path / "in" / "a.png", LARGE)
    draw(tmp_path / "in" / "b.png")
    command = ("translate", "--model", model, "--out", tmp_path / "out", "--overwrite")
    assert pixelwise_command(*command, tmp_path / "in" / "a.png") == 0
    assert shown == [(0.4, 1), (0.8, 1), (1, 1), (1, 1)]
    shown.clear()
    assert pixelwise_command(*command, tmp_path / "in") == 0
    assert shown == [(0.4, 2), (0.8, 2), (1, 2), (1, 2), (2, 2)]
