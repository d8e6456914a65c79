"""The table of families in Markdown, made from what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from pixelwise.bench.table import Row, size_text, time_text
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table


def families_markdown(results: Row) -> str:
    """What ``measure_families`` returned, or the JSON that it was saved as."""
    parts = ["# What every family costs", circumstances_text(results)]
    return "\n\n".join([*parts, *cost_table(results["rows"]), *ratio_table(results["rows"])]) + "\n"


def cost_table(rows: Sequence[Row]) -> list[str]:
    """A sentence on what the columns mean, and the table: a model a line."""
    sizes = list(dict.fromkeys(size_text(row["size"]) for row in rows))
    heads = ["model", "parameters, M", *(f"{size}: {unit}" for size in sizes for unit in ("GMAC", "ms", "MB"))]
    lines = []
    for model in dict.fromkeys(row["model"] for row in rows):
        of_model = [row for row in rows if row["model"] == model]
        costs = [cell for row in of_model for cell in (macs_text(row), time_text(row["seconds"]), memory_text(row))]
        lines.append([model, parameters_text(of_model), *costs])
    return [
        "One picture at a time, height × width: multiply-adds in 10^9 as they were defined (of a pixelwise model in "
        "brackets: low-resolution stream + pixels), milliseconds ready for inference as the median (interquartile "
        "range), and memory beyond network, input and output. A picture of a size that a network cannot have is padded "
        "to the next one that it can, and that counts: for pix2pix of eight levels to multiples of 256.",
        table(heads, lines),
    ]


def ratio_table(rows: Sequence[Row]) -> list[str]:
    """How many times as long as the first ASAP-Net each model takes; nothing where none was measured."""
    sizes = list(dict.fromkeys(size_text(row["size"]) for row in rows))
    medians = {(row["model"], size_text(row["size"])): row["seconds"]["median"] for row in rows}
    models = list(dict.fromkeys(row["model"] for row in rows))
    unit = next((model for model in models if model.startswith("asapnet")), None)
    if unit is None or len(models) == 1:
        return []
    lines = [
        [model, *(f"{medians[model, size] / medians[unit, size]:.3g}" for size in sizes)]
        for model in models
        if model != unit
    ]
    return [
        f"How many times as long as `{unit}` each takes; measured one after the other, each at its fastest here:",
        table(["model", *sizes], lines),
    ]


def macs_text(row: Row) -> str:
    macs = {part: f"{count / 1e9:.3g}" for part, count in row["macs"].items() if count is not None}
    return f"{macs['total']} ({macs['low_resolution']} + {macs['pixelwise']})" if "pixelwise" in macs else macs["total"]


def parameters_text(rows: Sequence[Row]) -> str:
    """A range where the cell grows with the size: so do the position code and the MLPs that read it."""
    numbers = sorted({f"{row['parameters'] / 1e6:.3g}" for row in rows}, key=float)
    return numbers[0] if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"


def memory_text(row: Row) -> str:
    """Megabytes; nothing where they are not known."""
    return "" if row["memory_bytes"] is None else f"{row['memory_bytes'] / 1e6:.3g}"
