"""`pixelwise study`, from folders to figures."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up_study import answer_all, draw_folder, small_study

from pixelwise.study import Rules, Store

Command = Callable[..., int]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    first, second, third = (draw_folder(tmp_path / name, ["1", "2", "3"], seed) for seed, name in enumerate("abc"))
    return first, second, third


def test_from_folders_to_figures(
    pixelwise_command: Command, folders: tuple[Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study.sqlite"
    assert pixelwise_command("study", "prepare", *folders, "--out", out, "--catches", 2, "--seconds", 1) == 0
    assert capsys.readouterr().out == (
        f"wrote {out}: 3 models, 3 scenes; each rater sees 11 pairs, 2 of them catch trials\n"
    )
    store = Store(out)
    answer_all(store, store.admit("anna"), "b")
    answer_all(store, store.admit("bob"), "a", sound=False)
    answers, report = tmp_path / "answers.csv", tmp_path / "report.json"
    assert pixelwise_command("study", "report", out, "--csv", answers, "--json", report) == 0
    printed = capsys.readouterr().out
    assert "| a | b | kept | 0 of 3 | 0.0% | 0.0% to 56.1% | 0.25 |" in printed
    assert "| a | b | all | 3 of 6 | 50.0% | 18.8% to 81.2% | 1 |" in printed
    assert "pictures shown for 1 s" in printed
    assert len(list(csv.DictReader(answers.open(encoding="utf-8")))) == 22
    assert json.loads(report.read_text())["pairs"][0]["everyone"]["wins"] == 3
    assert pixelwise_command("study", "report", out, "--max-failed", 1, "--scenes") == 0
    printed = capsys.readouterr().out
    assert "| a | b | all | 3 of 6 | 50.0%" in printed
    assert "| scene | a over b | share |" in printed


def test_pictures_that_an_evaluation_kept_bear_their_models_name(
    pixelwise_command: Command, folders: tuple[Path, ...], tmp_path: Path
) -> None:
    kept = [folder.rename(tmp_path / f"kept by {folder.name}") for folder in folders[:2]]
    for folder, name in zip(kept, "ab", strict=True):
        (tmp_path / name).mkdir()
        folder.rename(tmp_path / name / "pictures")
    out = tmp_path / "study.sqlite"
    assert pixelwise_command("study", "prepare", *tmp_path.glob("[ab]/pictures"), "--out", out) == 0
    assert sorted(Store(out).study.models) == ["a", "b"]


def test_models_may_be_named(pixelwise_command: Command, folders: tuple[Path, ...], tmp_path: Path) -> None:
    out = tmp_path / "study.sqlite"
    names = ("--name", "ASAP-Net", "--name", "SPADE")
    more = ("--photos", folders[2], "--conditions", folders[2], "--question", "Which one?", "--per-pair", 2)
    assert pixelwise_command("study", "prepare", *folders[:2], "--out", out, *names, *more) == 0
    study = Store(out).study
    assert (study.models, study.num_comparisons, study.rules.question) == (("ASAP-Net", "SPADE"), 2, "Which one?")
    assert all(catch.intact.path.startswith("c/") for catch in study.catches)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("prepare", "a", "--out", "s"), "compares two or more models"),
        (("prepare", "a", "x/a", "--out", "s"), "2 folders need as many different names"),
        (("prepare", "a", "b", "--name", "a", "--out", "s"), "2 folders need as many different names"),
        (("prepare", "a", "nowhere", "--out", "s"), "nowhere: no such folder"),
        (("prepare", "a", "b", "--out", "study.sqlite"), "study.sqlite is there already"),
        (("prepare", "a", "nowhere", "--out", "a/1.png/s"), "a/1.png is no folder that may be written to"),
        (("prepare", "a", "b", "--out", "s", "--per-pair", "0"), "on 1 picture or more"),
        (("prepare", "a", "b", "--out", "s", "--photos", "c", "--catches", "0"), "--photos c: are shown in catch tria"),
        (("serve", "nowhere.sqlite"), "nowhere.sqlite: no such study"),
        (("report", "a/1.png"), "file is not a database"),
        (("report", "study.sqlite", "--max-failed", "2"), "a share of 0 to 1"),
        (("report", "study.sqlite", "--csv", "new.csv", "--json", "a"), "a: is a folder, expected a file's name"),
        (("report", "study.sqlite", "--csv", "study.sqlite"), "study.sqlite: is the same file as the study s"),
        (("report", "study.sqlite", "--json", "a/../study.sqlite"), "study.sqlite: is the same file as the study"),
        (("report", "study.sqlite", "--csv", "new.csv", "--json", "a/../new.csv"), "same file as --csv new.csv; exp"),
    ],
)  # fmt: skip
def test_what_a_user_can_put_right_is_one_line(
    pixelwise_command: Command,
    folders: tuple[Path, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    small_study(tmp_path)
    assert pixelwise_command("study", *arguments) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.startswith("error: ")
    assert len(printed.splitlines()) == 1
    assert not (tmp_path / "new.csv").exists()
    assert len(Store(tmp_path / "study.sqlite").study.models) == 2


def test_a_study_with_answers_is_never_replaced(
    pixelwise_command: Command, folders: tuple[Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("study", "prepare", *folders, "--out", tmp_path / "s.sqlite", "--overwrite")
    assert pixelwise_command(*command) == 0
    assert pixelwise_command(*command) == 0
    store = Store(tmp_path / "s.sqlite")
    assert store.study.rules == Rules(), "what the command takes for granted is what the library does"
    store.answer(store.admit("anna"), 0, "left", 1)
    assert pixelwise_command(*command) == 1
    assert "holds 1 answers" in capsys.readouterr().err
    assert len(store.answers()) == 1


def test_reporting_and_serving_do_not_wait_for_torch(tmp_path: Path) -> None:
    small_study(tmp_path)
    imports = "import sys; import pixelwise.study.server; from pixelwise.cli import main"
    lines = f"{imports}\ntry: main()\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", lines, "study", "report", str(tmp_path / "study.sqlite")]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "raters: 0, answers: 0." in output
    assert "torch" not in output.splitlines()[-1].split()
