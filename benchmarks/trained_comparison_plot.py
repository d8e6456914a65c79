"""The plot of what a comparison's networks are worth and what they cost, from its JSON file."""

from __future__ import annotations

from collections.abc import Collection

from matplotlib.figure import Figure

from pixelwise.bench.table import Row
from pixelwise.evaluation.report.plots import quality_against_runtime
from pixelwise.evaluation.report.results import ModelResults, Results, Timing


def draw(results: Row, figures: Collection[str]) -> Figure | None:
    """A panel for each of the figures, networks by milliseconds, which are logarithmic; None of less than two.

    Args:
        results: of a ``TrainedComparison``, as its JSON file holds them.
        figures: names of those to be shown.
    """

    def chosen(found: Row) -> Row:
        return {name: value for name, value in found.items() if name in figures}

    timed = {"threads": results["threads"], "device": results["device"], "dtype": "float32"}
    networks = [
        ModelResults(
            row["name"],
            chosen(row["figures"]),
            runtime=Timing(**{**row["seconds"], **timed}, size=results["budget"]["trained_at"]),
        )
        for row in results["rows"]
    ]
    photos = [ModelResults("real photos", chosen(results["real"]), real=True)] if results["real"] else []
    same = ("protocol", "what", "samples", "names_sha256", "targets_sha256")
    told = {
        "command": "",
        "circumstances": {name: results[name] for name in ("date", "machine", "versions", "threads", "device")},
    }
    return quality_against_runtime(Results(**{name: results[name] for name in same}, **told, models=networks + photos))
