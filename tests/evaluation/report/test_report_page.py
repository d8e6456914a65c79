"""The page is sound HTML, needs no network, shows what is there, and stays small."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from made_up_results import FAST, ODD, PHOTOS, PICTURES, model, photos, results, write_pictures
from parsed_page import ParsedPage

from pixelwise.evaluation.report import Results
from pixelwise.evaluation.report.html_page import html_page, viewer_content
from pixelwise.machine import versions_text

NAMES = (FAST, ODD, PHOTOS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With every picture that the results name."""
    folder = tmp_path_factory.mktemp("report")
    write_pictures(folder, results())
    return folder


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return html_page(Results.from_json(results()), folder)


def test_it_shows_everything(html: str) -> None:
    page, content = ParsedPage(html), results()
    assert set(NAMES) <= set(page.texts)
    assert "4 pictures. CamVid <val>, 240x320 & more" in page.texts
    assert content["command"] in page.texts
    assert content["remarks"][0] in page.texts
    assert versions_text(content["circumstances"]["versions"]) in page.texts
    assert len(page.all("svg")) == 2
    assert len(page.all("table")) == 6


def test_it_needs_nothing_but_the_pictures(html: str, folder: Path) -> None:
    page = ParsedPage(html)
    assert page.references() == []
    assert not re.search(r"https?:|@import|url\((?!#)", html)
    for case in page.content["cases"]:
        for address in case["pictures"]:
            assert (folder / unquote(address)).is_file()


def test_no_name_is_taken_for_an_element(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><!--"
    figures = {evil: 1.0, "class_iou": {evil: 0.5}}
    content = results({**model(evil), "scores": {evil: {evil: 1.0}}, "figures": figures}, photos())
    content |= {"protocol": evil, "what": evil, "command": evil, "remarks": [evil]}
    page = ParsedPage(html_page(Results.from_json(content), tmp_path))
    assert len(page.all("script")) == 3
    assert page.texts.count(evil) >= 6
    assert page.content["models"][0]["name"] == evil


def test_heads_and_controls_have_names(html: str) -> None:
    page = ParsedPage(html)
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all("scope" in head for head in page.all("th"))
    assert all("aria-label" in plot for plot in page.all("svg"))
    assert all("aria-label" in part for part in page.all("div") if part.get("role") == "region")
    (divider,) = (field for field in page.all("input") if field["type"] == "range")
    assert divider["aria-label"]
    assert page.all("html")[0]["lang"] == "en"


def test_the_script_finds_its_elements(html: str) -> None:
    wanted = set(re.findall(r'\b(?:byId|chosen|on|fill)\("([\w-]+)"', html))
    assert {"viewer", "divider", "strip"} <= wanted
    wanted |= {f"{end}-{part}" for end in ("left", "right") for part in ("picture", "name")}
    assert wanted <= {attributes.get("id") for _, attributes in ParsedPage(html).elements}


def test_best_cells_are_marked_and_all_can_be_sorted(html: str) -> None:
    assert '<td data-value="63.0"><strong>63.0</strong></td>' in html
    assert '<td data-value="">–</td>' in html  # an IoU that there is not
    assert '<tr class="real">' in html


def test_the_data_are_those_of_the_script(html: str, folder: Path) -> None:
    data = re.search(r'<script type="application/json" id="content">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    assert "<" not in data[1]
    found = viewer_content(Results.from_json(results()), folder)
    assert json.loads(data[1]) == found
    assert list(json.loads(data[1])["rankings"][0]["ends"]) == ["worst", "best"]
    assert {case["name"] for case in found["cases"]} == set(PICTURES)
    assert [side["label"] for side in found["sides"]] == ["input", "real", FAST, ODD]


def test_rankings_are_in_the_page(folder: Path) -> None:
    found = viewer_content(Results.from_json(results()), folder, count=1)
    first = found["rankings"][0]
    assert (first["model"], first["measure"]) == (0, 0)
    assert {end: [found["cases"][case]["name"] for case in cases] for end, cases in first["ends"].items()} == {
        "worst": [PICTURES[0]],
        "best": [PICTURES[3]],
    }
    assert found["measures"] == [{"label": "PSNR", "head": "PSNR, dB ↑"}, {"label": "SSIM", "head": "SSIM ↑"}]
    assert found["cases"][first["ends"]["worst"][0]]["scores"] == [["14.00", "0.500"], ["15.00", "0.500"]]


def test_missing_pictures_are_left_out(tmp_path: Path) -> None:
    content = results()
    write_pictures(tmp_path, content)
    (tmp_path / "model 0" / "pictures" / f"{PICTURES[0]}.png").unlink()
    for path in (tmp_path / "inputs").rglob("*.png"):
        path.unlink()
    found = viewer_content(Results.from_json(content), tmp_path)
    assert [side["label"] for side in found["sides"]] == ["real", FAST, ODD]
    pictures = {case["name"]: case["pictures"] for case in found["cases"]}
    assert pictures[PICTURES[0]][1] is None
    assert all(pictures[PICTURES[0]][side] for side in (0, 2))


def test_pictures_without_scores_are_shown_too(folder: Path) -> None:
    content = results({**model("plain"), "scores": {}})
    found = viewer_content(Results.from_json(content), folder, count=2)
    assert found["rankings"] == found["measures"] == []
    assert len(found["spread"]) == len(found["cases"]) == 2


@pytest.mark.parametrize("bare", [{"model": "bare", "figures": {}}, {"model": "real", "figures": {}, "real": True}])
def test_without_figures_and_pictures_little_is_left(tmp_path: Path, bare: dict[str, Any]) -> None:
    page = ParsedPage(html_page(Results.from_json(results(bare)), tmp_path))
    assert page.all("svg") == page.all("table") == []
    assert "Pictures" not in page.texts
    assert "viewer" not in [attributes.get("id") for _, attributes in page.elements]


def test_a_page_of_very_many_pictures_stays_small(tmp_path: Path) -> None:
    scores = {f"folder/{number:06}": {"psnr": float(number % 977), "ssim": number / 1e5} for number in range(20_000)}
    content = results(*({"model": name, "figures": {}, "scores": scores} for name in "ab"))
    found = viewer_content(Results.from_json(content), tmp_path)
    assert len(found["cases"]) <= 8 * 2 * 2 * 2 + 8
    assert len(html_page(Results.from_json(content), tmp_path)) < 50_000
