"""A report in Markdown: the tables, and where people find the worst and the best pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pixelwise.evaluation.report.cases import measures, rankings
from pixelwise.evaluation.report.figures import figure_spec
from pixelwise.evaluation.report.results import Results, together
from pixelwise.evaluation.report.tables import (
    Cell,
    Row,
    Table,
    class_figures,
    class_table,
    cost_table,
    quality_tables,
)
from pixelwise.machine import circumstances_text, versions_text
from pixelwise.markdown import table

NUM_CASES = 3
"""At each end of a ranking; the page has more."""

_SPECIAL = re.compile(r"([\\`*\[\]<>|~$])|(?<!\w)(_)|(_)(?!\w)|^([#+-])(?=\s)")


def markdown(results: Results | Sequence[Results]) -> str:
    """All tables, with what must be said beside them.

    Raises:
        InputError: figures of several protocols, see ``together``.
    """
    whole = results if isinstance(results, Results) else together(results)
    return "\n\n".join(_parts(whole)) + "\n"


def escaped(text: str) -> str:
    """Any text, so that Markdown shows it as it is, in one line and in a table too."""
    plain = " ".join(text.split()).replace("&", "&amp;")
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", plain)


def fenced(text: str) -> str:
    """A block of code, whatever is in it."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _parts(results: Results) -> Iterator[str]:
    yield f"# {escaped(results.protocol)}"
    yield f"{results.samples} pictures. {escaped(results.what)}"
    circumstances = circumstances_text(results.circumstances), versions_text(results.circumstances["versions"])
    yield "\n".join(f"* {escaped(remark)}" for remark in (*results.remarks, *circumstances))
    yield fenced(results.command)
    for group, found in quality_tables(results).items():
        yield from _section(group, found)
    yield from _section("Cost", cost_table(results))
    for figure in class_figures(results):
        yield from _section(f"{figure_spec(figure).label} class by class", class_table(results, figure))
    if measures(results):
        yield "## Worst and best pictures"
        yield _cases(results)
    yield "## Digests"
    yield _files(results)


def _section(title: str, found: Table | None) -> Iterator[str]:
    if found is not None:
        yield f"## {escaped(title)}"
        yield _in_markdown(found)
        yield " ".join(found.notes)


def _in_markdown(found: Table) -> str:
    return table([escaped(head) for head in found.heads], [[_name(row), *map(_cell, row.cells)] for row in found.rows])


def _name(row: Row) -> str:
    return f"*{escaped(row.name)}*" if row.real else escaped(row.name)


def _cell(cell: Cell) -> str:
    return f"**{escaped(cell.text)}**" if cell.best else escaped(cell.text)


def _cases(results: Results) -> str:
    lines = []
    for ranking in rankings(results, NUM_CASES):
        spec = figure_spec(ranking.measure)
        for end, scores in ranking.ends.items():
            shown = ", ".join(f"{escaped(name)} ({spec.text(score)})" for name, score in scores.items())
            lines.append([escaped(ranking.model), escaped(spec.name_and_unit), end, shown])
    return table(["model", "by", "", "pictures"], lines, num_words=4)


def _files(results: Results) -> str:
    digests = {"names of the pictures": results.names_sha256, "targets": results.targets_sha256}
    digests |= {model.model: model.file_sha256 for model in results.made if model.file_sha256 is not None}
    return "\n".join(f"* {escaped(name)}: SHA-256 `{digest}`" for name, digest in digests.items())
