"""The tables of families.md, made from what families.py measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixelwise.bench.table import size_text, table

Row = dict[str, Any]


def markdown(results: Row) -> str:
    """The tables of what ``measure`` returned, or of the JSON that it was saved as."""
    plan, by_model = results["plan"], rows_by_model(results["translation"])
    sizes = [size_text(size) for size in plan["sizes"]]
    parts = [
        "# What every family costs",
        circumstances(results),
        "## Milliseconds per picture: median (interquartile range)",
        f"One picture at a time, height × width, {plan['repeats']} repeats.",
        table(["model", *sizes], [[name, *map(time_text, rows)] for name, rows in by_model.items()]),
        "## Parameters and multiply-adds",
        "Multiply-adds in G (10^9) per picture; of a pixelwise model in brackets: low-resolution stream + pixels.",
        table(
            ["model", "parameters, M", *sizes],
            [[name, parameters_text(rows), *map(macs_text, rows)] for name, rows in by_model.items()],
        ),
        "## Training, pictures per second",
        f"Generator and discriminator updated once each, {size_text(plan['training_size'])}, "
        f"batch {plan['training_batch']}, without the perceptual term.",
        table(
            ["model", "pictures/s"], [(row["model"], f"{row['images_per_second']:.3g}") for row in results["training"]]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def circumstances(results: Row) -> str:
    host, versions = results["machine"], results["versions"]
    return (
        f"{host['cpu']} ({host['instructions']}), {host['cores']} cores, {host['memory_gib']} GiB; "
        f"{results['threads']} threads, {results['dtype']}; torch {versions['torch']}, "
        f"pixelwise {versions['pixelwise']}; {results['date']}. Made from the JSON file beside it."
    )


def rows_by_model(rows: Sequence[Row]) -> dict[str, list[Row]]:
    models = dict.fromkeys(row["model"] for row in rows)
    return {model: [row for row in rows if row["model"] == model] for model in models}


def time_text(row: Row) -> str:
    seconds = row["seconds"]
    lower, median, upper = (f"{1000 * seconds[part]:.0f}" for part in ("lower_quartile", "median", "upper_quartile"))
    return f"{median} ({lower}–{upper})"


def macs_text(row: Row) -> str:
    macs = {part: f"{count / 1e9:.3g}" for part, count in row["macs"].items() if count is not None}
    return f"{macs['total']} ({macs['low_resolution']} + {macs['pixelwise']})" if "pixelwise" in macs else macs["total"]


def parameters_text(rows: Sequence[Row]) -> str:
    """A range where the cell grows with the size: so do the position code and the MLPs that read it."""
    numbers = sorted({f"{row['parameters'] / 1e6:.3g}" for row in rows}, key=float)
    return numbers[0] if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"
