"""Tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], num_words: int = 1) -> str:
    """A table, one line a row.

    Args:
        heads: of the columns.
        rows: each of as many cells, in Markdown; a ``|`` in one is escaped if it is not yet.
        num_words: so many columns are of words, on the left; the others are of figures, on the right.
    """
    ruler = ["---" if column < num_words else "---:" for column in range(len(heads))]
    return "\n".join(f"| {' | '.join(map(_one_cell, cells))} |" for cells in (heads, ruler, *rows))


def _one_cell(text: str) -> str:
    """A ``|`` would begin another one."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)
