"""The frozen description of a study."""

from __future__ import annotations

import json
from typing import Any

import pytest
from made_up_study import made_up

from pixelwise.errors import InputError
from pixelwise.study import Picture, Rules, Scene, Study


def test_a_study_comes_back_from_json() -> None:
    study = made_up("abc", 4, num_catches=2, seed=3)
    again = Study.from_json(json.loads(json.dumps(study.to_json())))
    assert again == study
    assert again.digest == study.digest != made_up("abc", 4, num_catches=2, seed=4).digest


def test_its_files_are_named_once() -> None:
    study = made_up("ab", 3, num_catches=2)
    assert sorted(picture.path for picture in study.files()) == [
        "a/0.png", "a/1.png", "a/2.png", "b/0.png", "b/1.png", "b/2.png",
    ]  # fmt: skip


def test_rules_ask_for_at_most_what_there_is() -> None:
    study = made_up("abc", 7, per_pair=50)
    assert (study.num_comparisons, study.num_trials) == (7, 21)
    assert made_up("abc", 7, per_pair=2, num_catches=3).num_trials == 9


@pytest.mark.parametrize(
    "rules",
    [{"question": ""}, {"question": "a\nb"}, {"question": "x" * 201}, {"per_pair": 0}, {"num_catches": -1},
     {"seconds": -1.0}, {"seconds": float("nan")}, {"seconds": 4000.0}],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="got"):
        Rules(**rules)


@pytest.mark.parametrize("models", [(), ("a",), ("a", "a")])
def test_two_models_are_compared_at_least(models: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="two or more models"):
        Study(models, Rules(), (Scene("1", (Picture("x"),) * len(models)),))


def test_every_scene_is_of_all_models() -> None:
    for scenes in ((), (Scene("1", (Picture("x"),)),)):
        with pytest.raises(InputError, match="of each of the models a, b"):
            Study(("a", "b"), Rules(), scenes)


@pytest.mark.parametrize(
    "damage",
    [{"rules": None}, {"scenes": "none"}, {"scenes": [1]}, {"scenes": [{"name": 1, "outputs": []}]}, {"models": "ab"},
     {"catches": [{"scene": "1"}]}, {"other": 1}],
)  # fmt: skip
def test_damaged_descriptions_are_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Study.from_json({**made_up("ab", 2).to_json(), **damage})
    with pytest.raises(InputError, match="expected a study"):
        Study.from_json([])
