"""A report as one HTML file that needs nothing but the pictures beside it: no network, no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from pixelwise.evaluation.report.cases import COUNT, Side, address, measures, names_of, rankings, sides, spread
from pixelwise.evaluation.report.drawing import inline_svg
from pixelwise.evaluation.report.figures import figure_spec
from pixelwise.evaluation.report.plots import COLOURS, bars_by_class, quality_against_runtime
from pixelwise.evaluation.report.results import Results
from pixelwise.evaluation.report.tables import Table, class_figures, class_table, cost_table, quality_tables
from pixelwise.machine import circumstances_text, versions_text


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: its heading.
        tables: what is in it, under headings of their own; one without has "".
        plot: what is above that.
        by_class: whether rows are classes and columns models; such tables are long, and folded away.
    """

    title: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    plot: Markup | None = None
    by_class: bool = False


def html_page(results: Results, folder: Path, count: int = COUNT) -> str:
    """The page.

    Args:
        results: of the evaluation.
        folder: where the page goes, and the folders of pictures are. Pictures that are not there are left out.
        count: of pictures at each end of a ranking. No others are in the page, however many there are.
    """
    loader = PackageLoader("pixelwise.evaluation.report", "page")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    styles, scripts = (
        [Markup(loader.get_source(environment, name)[0]) for name in names]
        for names in (("page.css", "viewer.css"), ("tables.js", "viewer.js"))
    )
    return environment.get_template("page.html").render(
        results=results,
        circumstances=circumstances_text(results.circumstances),
        versions=versions_text(results.circumstances["versions"]),
        sections=_sections(results),
        colours=_colours(results),
        viewer=viewer_content(results, folder, count),
        styles=styles,
        scripts=scripts,
    )


def viewer_content(results: Results, folder: Path, count: int = COUNT) -> dict[str, Any]:
    """What the page's script shows, in what JSON can hold: a few pictures, and why it is these.

    Args:
        results, folder, count: see ``html_page``.

    Returns:
        ``sides``: what there are pictures of, a label and, of a model, its number; ``models``: a name and a colour;
        ``measures``: a label and a head; ``rankings``: numbers of model and measure, and by what each end is called
        the numbers of its cases; ``spread``: numbers of cases that nobody chose; ``cases``: each with its name, the
        addresses of its pictures by side, and its scores, printed, by model and measure.
    """
    every, ranked = measures(results), rankings(results, count)
    unchosen = spread(names_of(results, folder), count)
    shown = list(dict.fromkeys([*unchosen, *(name for each in ranked for end in each.ends.values() for name in end)]))
    numbers = {name: number for number, name in enumerate(shown)}
    colours = _colours(results)
    numbers_of_models: dict[str | None, int] = {name: number for number, name in enumerate(colours)}
    there = [side for side in sides(results) if any((folder / side.file(name)).is_file() for name in shown)]
    return {
        "sides": [{"label": side.label, "model": numbers_of_models.get(side.model)} for side in there],
        "models": [{"name": name, "colour": number} for name, number in colours.items()],
        "measures": [{"label": spec.label, "head": spec.head} for spec in map(figure_spec, every)],
        "rankings": [
            {
                "model": numbers_of_models[each.model],
                "measure": every.index(each.measure),
                "ends": {end: [numbers[name] for name in names] for end, names in each.ends.items()},
            }
            for each in ranked
        ],
        "spread": [numbers[name] for name in unchosen],
        "cases": [_case(name, results, every, there, folder) for name in shown],
    }


def _case(name: str, results: Results, every: Sequence[str], there: Sequence[Side], folder: Path) -> dict[str, Any]:
    files = (side.file(name) for side in there)
    scores = (model.scores.get(name, {}) for model in results.made)
    return {
        "name": name,
        "pictures": [address(file) if (folder / file).is_file() else None for file in files],
        "scores": [[figure_spec(measure).text(each.get(measure)) for measure in every] for each in scores],
    }


def _sections(results: Results) -> list[Section]:
    runtime = quality_against_runtime(results)
    found = [
        Section("Quality", quality_tables(results)),
        Section("Quality against runtime", plot=None if runtime is None else _runtime_svg(runtime, results)),
        Section("Cost", {"": cost} if (cost := cost_table(results)) is not None else {}),
        *(_class_section(results, figure) for figure in class_figures(results)),
    ]
    return [section for section in found if section.tables or section.plot is not None]


def _class_section(results: Results, figure: str) -> Section:
    label, number = figure_spec(figure).label, class_figures(results).index(figure)
    description = (
        f"Bars: {label} by class and model, classes ordered by their share of the area; as in the table below."
    )
    plot = Markup(inline_svg(bars_by_class(results, figure), f"classes{number}", description))
    return Section(f"{label} class by class", {"": class_table(results, figure)}, plot, by_class=True)


def _runtime_svg(figure: Figure, results: Results) -> Markup:
    names = ", ".join(model.model for model in results.made if model.runtime is not None)
    description = f"Points: quality against milliseconds per call of {names}; both are in the tables above and below."
    return Markup(inline_svg(figure, "runtime", description))


def _colours(results: Results) -> dict[str, int]:
    """The number of each model's colour, as in the plots."""
    return {model.model: number % len(COLOURS) for number, model in enumerate(results.made)}
