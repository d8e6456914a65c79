"""The table of families in Markdown, made from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixelwise.bench.table import circumstances, size_text, table, time_text

Row = dict[str, Any]


def families_markdown(results: Row) -> str:
    """What ``measure_families`` returned, or the JSON that it was saved as."""
    return "\n\n".join(["# What every family costs", circumstances(results), *cost_table(results["rows"])]) + "\n"


def cost_table(rows: Sequence[Row]) -> list[str]:
    """A sentence on what the columns mean, and the table: a model a line."""
    sizes = list(dict.fromkeys(size_text(row["size"]) for row in rows))
    heads = ["model", "parameters, M", *(f"{size}: {unit}" for size in sizes for unit in ("GMAC", "ms", "MB"))]
    lines = []
    for model in dict.fromkeys(row["model"] for row in rows):
        of_model = [row for row in rows if row["model"] == model]
        costs = [cell for row in of_model for cell in (macs_text(row), time_text(row["seconds"]), _memory_text(row))]
        lines.append([model, parameters_text(of_model), *costs])
    return [
        "One picture at a time, height × width: multiply-adds in 10^9 as they were defined (of a pixelwise model in "
        "brackets: low-resolution stream + pixels), milliseconds ready for inference as the median (interquartile "
        "range), and memory beyond network, input and output.",
        table(heads, lines),
    ]


def macs_text(row: Row) -> str:
    macs = {part: f"{count / 1e9:.3g}" for part, count in row["macs"].items() if count is not None}
    return f"{macs['total']} ({macs['low_resolution']} + {macs['pixelwise']})" if "pixelwise" in macs else macs["total"]


def parameters_text(rows: Sequence[Row]) -> str:
    """A range where the cell grows with the size: so do the position code and the MLPs that read it."""
    numbers = sorted({f"{row['parameters'] / 1e6:.3g}" for row in rows}, key=float)
    return numbers[0] if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"


def _memory_text(row: Row) -> str:
    return "" if row["memory_bytes"] is None else f"{row['memory_bytes'] / 1e6:.3g}"
