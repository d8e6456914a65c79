"""The picture of what restorers.py measured: quality against time, and the frontier between them."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.figure import Figure

from pixelwise.bench.table import Row

OURS, OTHERS = "#0f766e", "#6b7280"

_BESIDE = 1.25
"""How far a name stands from its point, as a factor of time."""

_LINE = 0.27
"""Height of a name, in dB."""


def draw_frontier(results: Row) -> Figure:
    """PSNR against milliseconds per megapixel, which are logarithmic; a line through what nothing else surpasses."""
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    megapixels = results["photo"][0] * results["photo"][1] / 1e6
    places = {
        row["name"]: (1000 * row["seconds"]["median"] / megapixels, row["scores"]["psnr"]) for row in results["rows"]
    }
    best = frontier(list(places.values()))
    axes.plot(*zip(*best, strict=True), color=OURS, linewidth=1, alpha=0.5, drawstyle="steps-post")
    for row in results["rows"]:
        is_ours = row.get("pixelwise_macs_per_pixel") is not None
        axes.scatter(*places[row["name"]], s=28, color=OURS if is_ours else OTHERS, zorder=3)
    for (name, place), height in zip(places.items(), spread([psnr for _, psnr in places.values()]), strict=True):
        beside = (place[0] * _BESIDE, height)
        line = {"arrowstyle": "-", "color": OTHERS, "linewidth": 0.5, "alpha": 0.6, "shrinkB": 3}
        axes.annotate(name, place, xytext=beside, fontsize=8, verticalalignment="center", arrowprops=line)
    axes.set(xscale="log", xlabel="ms per megapixel", ylabel=f"PSNR in dB, {results['protocol']}")
    axes.grid(alpha=0.2)
    axes.set_title(f"{results['machine']['cpu']}, {results['threads']} threads, float32", fontsize=8, loc="left")
    return figure


def spread(heights: list[float]) -> list[float]:
    """Heights for names, near those of their points and a line apart."""
    lowered: dict[int, float] = {}
    free = float("inf")
    for number in sorted(range(len(heights)), key=lambda number: -heights[number]):
        lowered[number] = min(heights[number], free)
        free = lowered[number] - _LINE
    return [lowered[number] for number in range(len(heights))]


def frontier(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those (time, quality) that no other surpasses in both, by time."""
    best: list[tuple[float, float]] = []
    for place in sorted(places, key=lambda place: (place[0], -place[1])):
        if not best or place[1] > best[-1][1]:
            best.append(place)
    return best
