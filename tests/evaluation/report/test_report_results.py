"""An evaluation's JSON is read into types, and whatever is wrong in it is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_up_results import FAST, ODD, PHOTOS, model, photos, results, runtime, write_results

from pixelwise.errors import InputError
from pixelwise.evaluation.report import Results, read_results, together


def test_all_of_it_is_read(tmp_path: Path) -> None:
    found = read_results(write_results(tmp_path, results()))
    assert [model.model for model in found.models] == [PHOTOS, FAST, ODD]
    assert [model.model for model in found.made] == [FAST, ODD]
    fast = found.made[0]
    assert fast.runtime is not None
    assert fast.runtime.size == (240, 320)
    assert fast.runtime.batch == 1
    assert fast.macs is not None
    assert fast.macs.pixelwise == 150_000_000
    assert fast.scalar("psnr") == 15.7
    assert fast.scalar("class_iou") is None
    assert fast.by_class("class_iou") == {"pole": 0.05, "road": 0.9, "sky": None}
    assert fast.by_class("psnr") is None


def test_what_is_not_known_may_be_null_or_left_out() -> None:
    bare = {"model": "bare", "figures": {}}
    nulls = {"runtime": None, "macs": None, "peak_memory": None, "parameters": None, "pictures": None}
    for content in (bare, {**bare, **nulls}):
        (found,) = Results.from_json(results(content)).models
        assert (found.runtime, found.macs, found.peak_memory, found.scores) == (None, None, None, {})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"protokol": "x"}, "no field 'protokol'"),
        ({"samples": "4"}, "'samples' must be an integer, got '4'"),
        ({"models": {}}, "'models' must be a list"),
        ({"models": []}, "'models' is empty"),
        ({"models": [model("a"), model("a")]}, "'models': 'a' more than once"),
        ({"models": [model("a"), {"model": "b"}]}, r"'models'\[1\]: 'figures' is missing"),
        ({"models": [{**model("a"), "colour": 1}]}, r"'models'\[0\]: no field 'colour'"),
        ({"models": [{**model("a"), "figures": {"psnr": "high"}}]}, r"'models'\[0\]: 'figures' must be"),
        ({"models": [{**model("a"), "macs": {}}]}, r"'models'\[0\]: 'macs': 'total' is missing"),
        ({"models": [{**model("a"), "runtime": {**runtime(), "size": [1]}}]}, r"'runtime': 'size' must be \["),
        (
            {"models": [{**model("a"), "runtime": {**runtime(), "median": 9.0}}]},
            "expected 0 < lower_quartile <= median",
        ),
        ({"models": [{**model("a"), "pictures": "../elsewhere"}]}, "'pictures' must be a folder beside"),
        ({"inputs": "/elsewhere"}, "'inputs' must be a folder beside"),
        ({"circumstances": {"date": "today"}}, "'circumstances' are not what pixelwise.machine finds, at 'machine'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = write_results(tmp_path, results())
    path.write_text(json.dumps({**results(), **changed}))
    with pytest.raises(InputError, match=message) as raised:
        read_results(path)
    assert str(raised.value).startswith(str(path))


@pytest.mark.parametrize("name", ["protocol", "what", "samples", "command", "circumstances", "models"])
def test_what_is_missing_is_named(name: str) -> None:
    content = results()
    del content[name]
    with pytest.raises(InputError, match=f"'{name}' is missing"):
        Results.from_json(content)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000])
def test_what_is_no_json_of_results_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"report\.json: "):
        read_results(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_results(tmp_path / "no.json")


def test_evaluations_by_one_protocol_come_together() -> None:
    one, other = results(model("one"), photos()), results(model("other", 1), photos())
    other["remarks"] = ["slow"]
    whole = together([Results.from_json(one), Results.from_json(other)])
    assert [model.model for model in whole.models] == ["one", "other", PHOTOS]
    assert list(whole.remarks[:2]) == [*one["remarks"], "slow"]


def test_other_circumstances_are_told() -> None:
    one, other = results(model("one")), results(model("other"))
    other["circumstances"] = {**other["circumstances"], "threads": 64}
    assert "64 threads" in together([Results.from_json(one), Results.from_json(other)]).remarks[-1]


@pytest.mark.parametrize("field", ["protocol", "what", "samples", "names_sha256", "targets_sha256"])
def test_figures_of_two_protocols_are_never_together(field: str) -> None:
    other = results(model("other"))
    other[field] = 7 if field == "samples" else "something else"
    with pytest.raises(InputError, match=f"one table is of one {field}, got "):
        together([Results.from_json(results(model("one"))), Results.from_json(other)])


def test_nothing_together_and_one_model_twice_are_refused() -> None:
    with pytest.raises(InputError, match="no results"):
        together([])
    with pytest.raises(InputError, match="'one' more than once"):
        together([Results.from_json(results(model("one")))] * 2)
