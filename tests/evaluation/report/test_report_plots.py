"""The plots say what the figures say, in every circumstance that there may be."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
from made_up_results import FAST, ODD, PHOTOS, model, photos, results, runtime
from PIL import Image

from pixelwise.evaluation.report import Results, html_page, write_plots
from pixelwise.evaluation.report.drawing import inline_svg
from pixelwise.evaluation.report.plots import COLOURS, GRID, INK, MUTED, bars_by_class, quality_against_runtime


def test_a_panel_for_each_figure_that_has_a_better_end() -> None:
    figure = quality_against_runtime(Results.from_json(results()))
    assert figure is not None
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["PSNR, dB", "SSIM", "FID", "KID", "mIoU, %", "pixel accuracy, %"]
    better = {axes.get_title(loc="left"): axes.get_title(loc="right") for axes in figure.axes}
    assert better["PSNR, dB"] == "↖ better"
    assert better["FID"] == "↙ better"

    miou = figure.axes[4]
    points = [bar.lines[0].get_xydata()[0].tolist() for bar in miou.containers]
    assert points == [pytest.approx([12.0, 40.0]), pytest.approx([24.0, 44.0])]
    assert [line.get_ydata()[0] for line in miou.lines if line.get_linestyle() == "--"] == [pytest.approx(70.0)]
    low, high = miou.get_xlim()
    assert low < 12.0
    assert high > 24.0
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [FAST, ODD, PHOTOS]


def test_times_that_cannot_be_compared_are_not_drawn() -> None:
    one, other = model("one"), {**model("other", 1), "runtime": {**runtime(), "threads": 1}}
    for models in ([one, other], [one], [one, {**other, "runtime": None}]):
        assert quality_against_runtime(Results.from_json(results(*models))) is None


def test_bars_are_ordered_by_share() -> None:
    figure = bars_by_class(Results.from_json(results()), "class_iou")
    above, below = figure.axes
    assert [label.get_text() for label in below.get_xticklabels()] == ["road", "sky", "pole"]
    heights = [[bar.get_height() for bar in bars] for bars in above.containers]
    assert heights[0][0] == pytest.approx(90.0)
    assert heights[0][2] == pytest.approx(5.0)
    assert [bar.get_height() for bar in below.containers[0]] == pytest.approx([60.0, 39.0, 1.0])
    assert [text.get_text() for text in above.texts] == ["under 3 % of the area →"]


def test_bars_of_many_classes_without_shares() -> None:
    classes = {f"class {number} $x$": number / 150 for number in range(150)}
    figure = bars_by_class(Results.from_json(results({"model": "m", "figures": {"class_iou": classes}})), "class_iou")
    assert len(figure.axes) == 1
    assert figure.get_size_inches()[0] > 40
    assert 'class="wide"' in inline_svg(figure, "bars", "Bars")


def test_a_plot_in_a_page_takes_the_pages_colours_and_refers_to_nothing_outside() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = quality_against_runtime(Results.from_json(results()))
        assert figure is not None
        svg = inline_svg(figure, "plot", 'a "description" & more')
    assert svg.startswith('<svg role="img" aria-label="a &quot;description&quot; &amp; more"')
    assert svg.endswith("</svg>")
    assert "http" not in svg
    assert 'street "fast" &lt;b&gt;' in svg
    assert not [colour for colour in (*COLOURS, INK, MUTED, GRID) if colour in svg]
    names = re.findall(r'\sid="([^"]*)"', svg)
    assert all(name.startswith("plot-") for name in names)
    references = re.findall(r'(?:href="#|url\(#)([^")]*)', svg)
    assert references
    assert set(references) <= set(names)
    again = quality_against_runtime(Results.from_json(results()))
    assert again is not None
    assert inline_svg(again, "plot", 'a "description" & more') == svg


def test_the_page_has_the_plots_colours() -> None:
    style = (Path(html_page.__file__).parent / "page" / "page.css").read_text()
    light, dark = style.split("prefers-color-scheme: dark")
    for number, colour in enumerate(COLOURS):
        assert f"--model-{number}: {colour};" in light
        assert f"--model-{number}: " in dark
    for name, colour in (("ink", INK), ("muted", MUTED), ("line", GRID)):
        assert f"--{name}: {colour};" in light


def test_plots_as_files(tmp_path: Path) -> None:
    written = write_plots(Results.from_json(results()), tmp_path)
    assert [path.name for path in written] == ["quality_runtime.png", "class_iou.png"]
    for path in written:
        with Image.open(path) as picture:
            assert picture.width > 600
    assert write_plots(Results.from_json(results({"model": "bare", "figures": {}}, photos())), tmp_path / "none") == [
        tmp_path / "none" / "class_iou.png"
    ]
