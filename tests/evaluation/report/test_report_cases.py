"""Which pictures are shown: the ends of every ranking, and some that nobody chose."""

from __future__ import annotations

import math
from pathlib import Path

from made_up_results import FAST, ODD, PICTURES, model, results, write_pictures

from pixelwise.evaluation.report import Results
from pixelwise.evaluation.report.cases import address, measures, names_of, rankings, sides, spread


def test_the_ends_of_every_ranking() -> None:
    found = Results.from_json(results())
    assert measures(found) == ["psnr", "ssim"]
    ranked = rankings(found, 2)
    assert [(each.model, each.measure) for each in ranked] == [
        (name, measure) for measure in ("psnr", "ssim") for name in (FAST, ODD)
    ]
    assert ranked[0].ends == {
        "worst": {PICTURES[0]: 14.0, PICTURES[1]: 15.0},
        "best": {PICTURES[3]: 17.0, PICTURES[2]: 16.0},
    }
    assert list(ranked[2].ends["worst"]) == [PICTURES[3], PICTURES[2]]


def test_less_is_better_unknown_and_what_is_no_number() -> None:
    scores = {"a": {"lpips": 0.1, "odd": 1.0}, "b": {"lpips": 0.3, "odd": math.nan}, "c": {"lpips": None}, "d": {}}
    found = Results.from_json(results({**model("m"), "scores": scores}))
    less, odd = rankings(found, 1)
    assert less.ends == {"worst": {"b": 0.3}, "best": {"a": 0.1}}
    assert odd.ends == {"lowest": {"a": 1.0}, "highest": {"a": 1.0}}


def test_a_spread_from_first_to_last() -> None:
    names = [str(number) for number in range(100)]
    assert spread(names, 4) == ("0", "33", "66", "99")
    assert spread(names[:3], 4) == ("0", "1", "2")
    assert spread([], 4) == ()


def test_sides_are_input_real_picture_and_models() -> None:
    found = Results.from_json({**results(), "inputs": None})
    assert [side.label for side in sides(found)] == ["real", FAST, ODD]
    assert sides(found)[1].file("a/b") == "model 0/pictures/a/b.png"


def test_names_are_those_with_scores_or_with_files(tmp_path: Path) -> None:
    content = results()
    write_pictures(tmp_path, content)
    assert names_of(Results.from_json(content), tmp_path) == list(PICTURES)
    for each in content["models"]:
        each.pop("scores", None)
    assert sorted(names_of(Results.from_json(content), tmp_path)) == sorted(PICTURES)


def test_addresses_of_any_name() -> None:
    assert address('a b/"x" #1?%20ü:.png') == "a%20b/%22x%22%20%231%3F%2520%C3%BC%3A.png"
