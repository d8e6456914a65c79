"""The plot of gradient_flow.py: of every layer's gradients, how many are how large."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Row = dict[str, Any]

COLOURS = ("#6b7280", "#0f766e")
"""Of the two games, one after the other."""


def draw(results: Row) -> Figure:
    """A line of panels for each step: every layer's histogram as a row of shades, a panel for each game; and the curves
    of all layers together."""
    mpl.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    games = list(dict.fromkeys(row["judged"] for row in results["rows"]))
    steps = list(dict.fromkeys(row["step"] for row in results["rows"]))
    layers = list(dict.fromkeys(layer["layer"] for row in results["rows"][::-1] for layer in row["layers"]))[:-1]
    figure = Figure(figsize=(11, 3.6 * len(steps)), layout="constrained")
    panels = figure.subplots(len(steps), len(games) + 1, squeeze=False, width_ratios=[*[1.0] * len(games), 0.8])
    for line, step in zip(panels, steps, strict=True):
        when = f"after {step} steps" if step else "at the start"
        for game, colour, axes in zip(games, COLOURS, line[:-1], strict=True):
            (row,) = (row for row in results["rows"] if (row["judged"], row["step"]) == (game, step))
            _shade(axes, row, layers, results["edges"])
            axes.set(title=f"judged at {game}, {when}", xlabel="$\\log_{10}$ |gradient|")
            _trace(line[-1], row["layers"][-1], colour, game, results["edges"])
        line[-1].set(
            title=f"{results['rows'][0]['layers'][-1]['layer']}, {when}",
            xlabel="$\\log_{10}$ |gradient|",
            ylabel="share of the weights",
        )
        line[-1].legend(frameon=False)
    return figure


def _shade(axes: Axes, row: Row, layers: list[str], edges: list[float]) -> None:
    """A layer a line, empty for one that no gradient reaches; the darker, the more of its weights."""
    found = {layer["layer"]: np.array(layer["histogram"]) / layer["weights"] for layer in row["layers"]}
    shares = np.array([found.get(name, np.zeros(len(edges) - 1)) for name in layers])
    axes.imshow(shares, cmap="Greys", aspect="auto", extent=(edges[0], edges[-1], len(layers) - 0.5, -0.5), vmax=0.5)
    axes.set_yticks(range(len(layers)), layers, fontsize=6)


def _trace(axes: Axes, layer: Row, colour: str, game: str, edges: list[float]) -> None:
    axes.stairs(np.array(layer["histogram"]) / layer["weights"], edges, color=colour, label=game)
