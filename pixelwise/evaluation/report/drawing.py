"""Plots as files or as part of a page."""

from __future__ import annotations

import io
import re
import warnings
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from pixelwise.atomic import write_atomically
from pixelwise.evaluation.report.plots import COLOURS, GRID, INK, MUTED

_TEXT_REMAINS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "pixelwise"}
"""Text as text, which the page's fonts show and people can search; and the same names inside the file every time."""

_WIDE = 12.0
"""Inches beyond which a plot is not made as narrow as the page: nobody could read it."""

_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    **{shade: f"var(--model-{number})" for number, shade in enumerate(COLOURS)},
}
"""What stands in a page for each colour, so that it follows the page from light to dark."""


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """A plot as an element of a page, without a background, in the page's colours.

    Args:
        figure: is drawn.
        name: of letters, another one for each plot of a page: what is referred to inside begins with it.
        description: for those who cannot see it.
    """
    buffer = io.StringIO()
    with mpl.rc_context(_TEXT_REMAINS), warnings.catch_warnings():
        _forgive_foreign_letters()
        figure.savefig(buffer, format="svg", transparent=True)
    _, start, content = buffer.getvalue().partition("<svg")
    svg = re.sub(r"<metadata>.*?</metadata>", "", start + content, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    wide = ' class="wide"' if figure.get_size_inches()[0] > _WIDE else ""
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"{wide}', 1).strip()


def write_png(figure: Figure, path: Path, dots_per_inch: int = 110) -> None:
    """A plot as a file, on white."""
    with warnings.catch_warnings():
        _forgive_foreign_letters()
        write_atomically(path, lambda beside: figure.savefig(beside, format="png", dpi=dots_per_inch))


def _forgive_foreign_letters() -> None:
    # Names may be in any script; the page has a font for it, and a box in a PNG is no reason to complain twice.
    warnings.filterwarnings("ignore", message="Glyph .* missing from font")
    warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
