"""A report's files, each there whole or not at all."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pixelwise.atomic import write_text
from pixelwise.errors import InputError
from pixelwise.evaluation.report.markdown import markdown
from pixelwise.evaluation.report.results import Results, read_results
from pixelwise.evaluation.report.tables import class_figures

PAGE, TABLES = "report.html", "report.md"

_NEEDED = ("jinja2", "matplotlib")


def write_report(results: Results | Path, out: Path) -> Path:
    """Writes the page, ``report.html``, and the tables in Markdown, ``report.md``.

    Args:
        results: of an evaluation, or the file that they are in.
        out: the folder; those of pictures that the results name are in it.

    Returns:
        The page.

    Raises:
        InputError: results that cannot be read or are not what they should be; a package that is not installed. Nothing
            is written then.
        OSError: disk full or no permission. What stood there stays, or is replaced whole.
    """
    check_installed()
    from pixelwise.evaluation.report.html_page import html_page

    found = results if isinstance(results, Results) else read_results(results)
    contents = {TABLES: markdown(found), PAGE: html_page(found, out)}
    for name, content in contents.items():
        write_text(out / name, content)
    return out / PAGE


def write_plots(results: Results | Path, out: Path) -> list[Path]:
    """Writes the plots as PNG, for documents: ``quality_runtime.png``, and ``class_iou.png`` or whatever goes by class.

    Args:
        results: see ``write_report``.
        out: the folder.

    Returns:
        What was written. The first is missing where no two models were timed alike.

    Raises:
        InputError, OSError: see ``write_report``.
    """
    check_installed()
    from pixelwise.evaluation.report.drawing import write_png
    from pixelwise.evaluation.report.plots import bars_by_class, quality_against_runtime

    found = results if isinstance(results, Results) else read_results(results)
    plots = {out / f"{name}.png": bars_by_class(found, name) for name in class_figures(found)}
    if (runtime := quality_against_runtime(found)) is not None:
        plots = {out / "quality_runtime.png": runtime, **plots}
    for path, figure in plots.items():
        write_png(figure, path)
    return list(plots)


def check_installed() -> None:
    """Raises InputError, saying what to install, unless reports can be written here."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise InputError(f"a report needs {' and '.join(missing)}: pip install 'pixelwise[report]'")
