from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch

from pixelwise.errors import InputError
from pixelwise.training.report import Report

LOSSES = {"l1": torch.tensor(0.25), "adversarial": torch.tensor(-1.5)}
SCORES = {"psnr": 20.5, "ssim": 0.125}


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pixelwise.training.report.time", clock)
    return clock


def records(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_lines_now_and_then_without_a_terminal(tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]):
    with Report(tmp_path, 0, 100, speaks=True) as report:
        for step in range(1, 101):
            clock.seconds += 2
            report.step(step, LOSSES, {}, num_images=4)
    lines = capsys.readouterr().out.splitlines()
    shown = [1, 17, 33, 49, 65, 81, 97, 100]
    assert lines[1] == "step 17/100  l1 0.250  adversarial -1.500  2.00 images/s  0:02:46 left"
    assert [int(re.match(r"step (\d+)/100", line)[1]) for line in lines] == shown
    assert records(tmp_path) == [{"step": step, "l1": 0.25, "adversarial": -1.5} for step in shown]


def test_time_left_of_a_resumed_run_does_not_count_what_was_done_before(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
):
    with Report(tmp_path, 90, 100, speaks=True) as report:
        clock.seconds += 2
        report.step(91, LOSSES, {}, num_images=4)
    assert "2.00 images/s  0:00:18 left" in capsys.readouterr().out


def test_scores_are_told_whenever_there_are_some(tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]):
    with Report(tmp_path, 0, 100, speaks=True) as report:
        report.step(1, LOSSES, {}, 4)
        report.step(2, LOSSES, SCORES, 4)
        report.step(3, LOSSES, {}, 4)
    assert capsys.readouterr().out.splitlines()[1:] == ["step 2: validation psnr 20.5000  ssim 0.1250"]
    assert records(tmp_path)[1:] == [
        {"step": 2, "l1": 0.25, "adversarial": -1.5, "validation/psnr": 20.5, "validation/ssim": 0.125}
    ]


def test_lines_are_not_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "a " * 200
    with Report(tmp_path, 0, 100, speaks=True) as report:
        report.say(text)
    assert capsys.readouterr().out == text + "\n"


def test_a_bar_on_a_terminal(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    with Report(tmp_path, 4, 8, speaks=True) as report:
        for step in range(5, 8):
            clock.seconds += 2
            report.step(step, LOSSES, {}, num_images=4)
        report.say("a word in between")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().out)
    assert "━" in shown
    assert re.search(r"7/8.*l1 0\.250  adversarial -1\.500  2\.00 images/s", shown)
    assert "a word in between" in shown
    assert "step 5/8" not in shown


def test_other_processes_are_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with Report(tmp_path, 0, 1, speaks=False) as report:
        report.say("a word")
        report.step(1, LOSSES, SCORES, 4)
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_run_drops_what_it_does_again(tmp_path: Path):
    log = tmp_path / "log.jsonl"
    cut_short = ['{"step": 3, "l1"', "", "\0\0\0"]
    log.write_text("\n".join(['{"step": 1}', '{"step": 3, "l1": 1.0}', '{"step": 4}', '{"step": 5}', *cut_short]))
    with Report(tmp_path, 3, 9, speaks=True) as report:
        report.step(4, {}, {}, 4)
    assert records(tmp_path) == [{"step": 1}, {"step": 3, "l1": 1.0}, {"step": 4}]


def test_the_log_is_never_half_written(tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]):
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1}\n' * 10)
    before = log.read_text()
    with full_disk(10), pytest.raises(InputError, match=r"log\.jsonl: cannot be written \(.*too large"):
        Report(tmp_path, 3, 9, speaks=True)
    assert log.read_text() == before
    report = Report(tmp_path, 3, 9, speaks=True)
    with full_disk(len(before)), pytest.raises(InputError, match=r"log\.jsonl: cannot be written \(.*too large"):
        report.step(4, LOSSES, {}, 4)
    assert log.read_text() == before


def test_tensorboard_is_told_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[object, ...]] = []

    class SummaryWriter:
        def __init__(self, folder: Path, purge_step: int) -> None:
            told.append((folder, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            told.append((name, value, step))

        def close(self) -> None:
            told.append(())

    module = type(sys)("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    with Report(tmp_path, 4, 9, speaks=True) as report:
        report.step(5, {"l1": torch.tensor(0.25)}, {"ssim": 0.5}, 4)
    assert told == [(tmp_path / "tensorboard", 5), ("l1", 0.25, 5), ("validation/ssim", 0.5, 5), ()]


def test_tensorboard_itself_can_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    pytest.importorskip("torch.utils.tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for first_step in (0, 2):
        with Report(tmp_path, first_step, 4, speaks=True) as report:
            for step in range(first_step + 1, 5):
                report.step(step, {}, {"ssim": float(first_step)}, 4)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("validation/ssim")] == [
        (1, 0),
        (2, 0),
        (3, 2),
        (4, 2),
    ]
