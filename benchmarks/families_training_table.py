"""The tables of families.md, made from what families.py measured."""

from __future__ import annotations

from pixelwise.bench.families_table import cost_table, ratio_table
from pixelwise.bench.table import Row, size_text
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table


def markdown(results: Row) -> str:
    """The tables of what ``measure`` returned, or of the JSON that it was saved as."""
    training = results["training_plan"]
    again = [f"Measured again: `{model}`, {date}." for model, date in results.get("again", {}).items()]
    parts = [
        "# What every family costs",
        " ".join([circumstances_text(results), *again, "Made from the JSON file beside it."]),
        *cost_table(results["rows"]),
        *ratio_table(results["rows"]),
        "## Training, pictures per second",
        f"Generator and discriminator updated once each, {size_text(training['size'])}, batch {training['batch']}, "
        "without the perceptual term.",
        table(
            ["model", "pictures/s"], [(row["model"], f"{row['images_per_second']:.3g}") for row in results["training"]]
        ),
    ]
    return "\n\n".join(parts) + "\n"
