"""Preferences, and how sure they are."""

from __future__ import annotations

import csv
import io
import json

import pytest
from made_up_study import answered, made_up
from scipy.stats import binomtest

from pixelwise.errors import InputError
from pixelwise.study import Preference, analyse, markdown, to_csv

STUDY = made_up(("asap", "spade", "pix|2"), 4, num_catches=2)


def catch(rater: str, choice: str) -> object:
    return answered(rater, "intact", "degraded", choice, is_catch=True)


@pytest.mark.parametrize(
    ("wins", "total"), [(0, 1), (0, 10), (1, 1), (5, 10), (27, 50), (50, 50), (160, 300), (1250, 2500), (1400, 2500)]
)
def test_intervals_and_p_values_are_those_of_scipy(wins: int, total: int) -> None:
    found, known = Preference(wins, total), binomtest(wins, total)
    interval = known.proportion_ci(0.95, method="wilson")
    assert found.share == wins / total
    assert found.interval == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-9)


def test_intervals_stay_within_0_and_1() -> None:
    assert Preference(0, 7).interval[0] == 0
    assert Preference(7, 7).interval[1] == 1
    # By hand: z²/(n + z²) with z = 1.96.
    assert Preference(0, 10).interval[1] == pytest.approx(3.8415 / 13.8415, abs=1e-4)
    assert (Preference(0, 0).share, Preference(0, 0).interval, Preference(0, 0).p_value) == (None, (0, 1), 1)


def test_raters_who_fail_catch_trials_are_excluded_and_shown() -> None:
    answers = [
        *(catch("good", "left") for _ in range(4)), catch("good", "right"), answered("good", "spade", "asap", "right"),
        *(catch("bad", "left") for _ in range(3)), catch("bad", "right"), answered("bad", "asap", "spade", "right"),
        answered("new", "asap", "spade", "left", scene="2"), answered("new", "pix|2", "asap", "left"),
    ]  # fmt: skip
    report = analyse(STUDY, answers)
    assert [(rater.name, rater.num_catches, rater.num_failed) for rater in report.raters] == [
        ("good", 5, 1), ("bad", 4, 1), ("new", 0, 0),
    ]  # fmt: skip
    assert [rater.name for rater in report.excluded] == ["bad"]
    first, second, third = report.pairs
    assert (first.first, first.second, first.kept, first.everyone) == (
        "asap", "spade", Preference(2, 2), Preference(2, 3),
    )  # fmt: skip
    assert first.raters == {"good": Preference(1, 1), "bad": Preference(0, 1), "new": Preference(1, 1)}
    assert first.scenes == {"1": Preference(1, 1), "2": Preference(1, 1)}
    assert (second.kept, third.kept) == (Preference(0, 1), Preference(0, 0))
    assert not analyse(STUDY, answers, max_failed=0.25).excluded
    assert len(analyse(STUDY, answers, max_failed=0).excluded) == 2


def test_a_share_is_a_share() -> None:
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="a share of 0 to 1"):
            analyse(STUDY, [], share)


def test_reports_for_people() -> None:
    answers = [
        catch("bob", "right"), answered("bob", "asap", "spade", "right"),
        *(answered("anna", "asap", "spade", "left", scene=scene) for scene in "12"),
        answered("anna", "spade", "asap", "left", scene="3"),
    ]  # fmt: skip
    text = markdown(analyse(STUDY, answers), by_scene=True)
    assert "3 models, 4 scenes, unlimited time, seed 0" in text
    assert "raters: 2, answers: 5." in text
    assert "| asap | spade | kept | 2 of 3 | 66.7% | 20.8% to 93.9% | 1 |" in text
    assert "| asap | spade | all | 2 of 4 | 50.0% | 15.0% to 85.0% | 1 |" in text
    assert "| spade | pix\\|2 | kept | – | – | – | – |" in text
    assert "failed more than 20% of their catch trials: bob (1 of 1)" in text
    assert "| anna | 3 of 14 | 0 of 0 | 1.5 | 2 of 3 | – | – |" in text
    assert "| bob | 2 of 14 | 1 of 1, excluded | 1.5 | 0 of 1 | – | – |" in text
    assert "| 3 | 0 of 1 | 0.0% | 0.0% to 79.3% | 1 |" in text
    assert "No rater failed" in markdown(analyse(STUDY, answers[2:]))
    assert "raters: 0, answers: 0." in markdown(analyse(STUDY, []))


def test_without_catch_trials_nobody_is_excluded_nor_asked_about() -> None:
    study = made_up(["asap", "spade"], 3)
    assert "There were no catch trials, so nobody is excluded." in markdown(analyse(study, []))
    with pytest.raises(InputError, match=r"--max-failed 0\.3: the study has no catch trials that could be failed"):
        analyse(study, [], 0.3)


def test_reports_and_answers_for_programs() -> None:
    answers = [catch("bob", "left"), answered("bob", "asap", "spade", "right", scene="a,b")]
    content = json.loads(json.dumps(analyse(STUDY, answers).to_json()))
    assert content["study_sha256"] == STUDY.digest
    assert content["pairs"][0]["scenes"] == {
        "a,b": {"wins": 0, "answers": 1, "share": 0.0, "low": 0.0, "high": pytest.approx(0.7935, abs=1e-4), "p": 1.0}
    }
    assert content["pairs"][1]["kept"]["share"] is None
    assert content["raters"][0]["num_answers"] == 2
    rows = list(csv.DictReader(io.StringIO(to_csv(answers))))
    assert [(row["scene"], row["is_catch"], row["chosen"]) for row in rows] == [
        ("1", "True", "intact"), ("a,b", "False", "spade"),
    ]  # fmt: skip
