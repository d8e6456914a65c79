"""Tables: what stands where, in which unit, and what is best."""

from __future__ import annotations

import math
from typing import Any

import pytest
from made_up_results import FAST, ODD, PHOTOS, model, photos, results, runtime

from pixelwise.evaluation.report import Results
from pixelwise.evaluation.report.figures import FIGURES, GROUPS, NONE, figure_spec, in_order
from pixelwise.evaluation.report.tables import (
    NO_REAL,
    NOTES,
    REAL,
    STREAM,
    TRAINING,
    Table,
    class_figures,
    class_table,
    cost_table,
    quality_tables,
)


def tables_of(*models: dict[str, Any]) -> dict[str, Table]:
    return quality_tables(Results.from_json(results(*models)))


def texts(table: Table) -> dict[str, list[str]]:
    return {row.name: [cell.text for cell in row.cells] for row in table.rows}


def best(table: Table, head: str) -> set[str]:
    place = table.heads.index(head) - 1
    return {row.name for row in table.rows if row.cells[place].best}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("psnr", 15.704, "15.70"),
        ("mean_iou", 0.4012, "40.1"),
        ("kid", -0.00012, "−0.0001"),
        ("rmse", 0.5, "0.500"),
        ("unheard_of", 1234.5678, "1235"),
        ("psnr", math.inf, "∞"),
        ("psnr", math.nan, "–"),
        ("psnr", None, "–"),
    ],
)
def test_figures_are_printed_in_their_unit(name: str, value: float | None, text: str) -> None:
    assert figure_spec(name).text(value) == text


def test_every_figure_says_what_is_better_but_the_share_and_seams_which_photos_have_too() -> None:
    assert [name for name, spec in FIGURES.items() if spec.more_is_better is None] == ["seams", "class_area"]
    assert FIGURES["fid"].head == "FID ↓"
    assert FIGURES["psnr"].head == "PSNR, dB ↑"
    assert figure_spec("unheard_of").head == "unheard_of"


def test_variants_go_by_what_they_are_variants_of() -> None:
    assert figure_spec("fid_train").head == "FID (train) ↓"
    assert figure_spec("mean_iou_of_occurring").head == "mIoU of classes that occur, % ↑"
    assert figure_spec("lpips_alex").text(0.25) == "0.250"
    assert figure_spec("fidelity").more_is_better is None
    assert in_order(["odd", "seams_8", "fid_val", "ssim", "fid_train"]) == [
        "ssim",
        "fid_val",
        "fid_train",
        "seams_8",
        "odd",
    ]


def test_real_photos_are_last_and_do_not_compete() -> None:
    table = tables_of()["Segmentation"]
    assert table.heads == ("model", "mIoU, % ↑", "pixel accuracy, % ↑")
    assert texts(table) == {FAST: ["40.0", "80.0"], ODD: ["44.0", "80.0"], PHOTOS: ["70.0", "95.0"]}
    assert [row.real for row in table.rows] == [False, False, True]
    assert best(table, "mIoU, % ↑") == {ODD}
    assert best(table, "pixel accuracy, % ↑") == {FAST, ODD}
    assert REAL in table.notes


def test_figures_of_a_kind_are_together() -> None:
    tables = tables_of()
    assert list(tables) == ["Fidelity", "Sets of pictures", "Segmentation", "Other figures"]
    assert texts(tables["Fidelity"]) == {FAST: ["15.70", "0.390"], ODD: ["17.27", "0.429"]}
    assert best(tables["Fidelity"], "PSNR, dB ↑") == {ODD}
    sets = tables["Sets of pictures"]
    assert texts(sets) == {FAST: ["63.0", "0.0123 ± 0.0011"], ODD: ["69.3", "0.0135 ± 0.0012"]}
    assert best(sets, "FID ↓") == best(sets, "KID ↓") == {FAST}
    assert best(tables["Other figures"], "unheard_of") == set()
    assert {name for names in GROUPS.values() for name in names} == FIGURES.keys() - {"class_iou", "class_area"}


def test_one_model_is_not_the_best() -> None:
    tables = tables_of(model("only"), photos()).values()
    assert not any(cell.best for table in tables for row in table.rows for cell in row.cells)


def test_segmentation_without_real_photos_is_told() -> None:
    assert NO_REAL in tables_of(model("only"))["Segmentation"].notes
    plain = {"model": "plain", "figures": {"psnr": 20.0}}
    assert tables_of(plain)["Fidelity"].notes == ()


def test_no_figures_no_table() -> None:
    found = Results.from_json(results({"model": "bare", "figures": {}}))
    assert quality_tables(found) == {}
    assert cost_table(found) is None
    assert class_figures(found) == []


def test_costs() -> None:
    table = cost_table(Results.from_json(results()))
    assert table is not None
    assert table.heads == ("model", "parameters, M", "multiply-adds, G", "ms", "most memory, MB")
    assert not {*NOTES.values()} & {*table.notes}
    assert texts(table)[FAST] == ["2.4", "1.05 (0.15 for pixels)", "12 [10.8–14.4]", "5.3"]
    assert best(table, "ms") == best(table, "parameters, M") == {FAST}
    assert "Measured with 240×320, batch 1, 2 threads, cpu, float32, 20 calls." in table.notes


def test_the_low_resolution_streams_part_of_the_time() -> None:
    split = {**model("split"), "runtime": {**runtime(), "low_resolution": 0.0034}}
    table = cost_table(Results.from_json(results(split, model("whole", 1))))
    assert table is not None
    place = table.heads.index(STREAM) - 1
    assert (texts(table)["split"][place], texts(table)["whole"][place]) == ("3.4", NONE)
    assert best(table, STREAM) == set()
    assert NOTES[STREAM] in table.notes


def test_the_memory_of_training() -> None:
    table = cost_table(Results.from_json(results({**model("one"), "training_memory": 250_000_000}, model("other"))))
    assert table is not None
    assert (table.heads[-1], texts(table)["one"][-1], texts(table)["other"][-1]) == (TRAINING, "250", NONE)
    assert NOTES[TRAINING] in table.notes


def test_times_under_different_conditions_are_not_compared() -> None:
    fast = {**model("fast"), "runtime": {**runtime(), "threads": 1}}
    table = cost_table(Results.from_json(results(fast, model("slow", 1))))
    assert table is not None
    assert best(table, "ms") == set()
    assert table.heads[-1] == "measured with"
    assert table.rows[0].cells[-1].text == "240×320, batch 1, 1 thread, cpu, float32, 20 calls"


def test_classes_are_ordered_by_their_share() -> None:
    found = Results.from_json(results())
    assert class_figures(found) == ["class_iou"]
    table = class_table(found, "class_iou")
    assert table.heads == ("class", "share of the area, %", FAST, ODD, PHOTOS)
    assert texts(table) == {
        "road": ["60.0", "90.0", "90.0", "97.0"],
        "sky": ["39.0", "–", "–", "96.0"],
        "pole": ["1.0", "5.0", "5.0", "40.0"],
    }


def test_classes_without_shares_stay_as_they_are() -> None:
    bare = {"model": "bare", "figures": {"class_iou": {"z": 0.1, "a": 0.2}, "precision": {"a": 0.5}}}
    found = Results.from_json(results(bare))
    assert class_figures(found) == ["class_iou", "precision"]
    assert class_table(found, "class_iou").heads == ("class", "bare")
    assert [row.name for row in class_table(found, "class_iou").rows] == ["z", "a"]
    assert NO_REAL in class_table(found, "class_iou").notes
