"""Tables in Markdown, made from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixelwise.bench.contest import PLAIN
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table

Row = dict[str, Any]

_HEADS = (
    "size", "engine", "× plain", "ms", "stream + pixels", "ms per Mpixel", "GFLOP/s", "of peak", "memory, MB", "error",
)  # fmt: skip


def markdown(results: Row) -> str:
    """All tables of what ``measure`` returned, or of the JSON that it was saved as."""
    title = "# How fast pictures are made" + (", freed memory kept" if results.get("freed_memory_kept") else "")
    parts = [title, circumstances_text(results), _explanation(results)]
    if results["left_out"]:
        parts.append("\n".join(f"Left out: {reason}." for reason in results["left_out"].values()))
    for model in dict.fromkeys(row["model"] for row in results["rows"]):
        rows = [row for row in results["rows"] if row["model"] == model]
        parts += [f"## {model}", ratios(rows), table(_HEADS, [_cells(row) for row in rows])]
    return "\n\n".join(parts) + "\n"


def growth_markdown(results: Row) -> str:
    """All tables of what ``measure_growth`` returned, or of the JSON that it was saved as."""
    text = (
        "The full-size network. One picture at a time, height × width; milliseconds as the median (interquartile "
        f"range) of {results['repeats']} rounds in which the engines take turns. At the smallest size every engine's "
        f"picture was first shown equal to the plain path's. {_memory_text(results)} {_allocator_text(results)}"
    ).strip()
    parts = ["# How time grows with the number of pixels", circumstances_text(results), text, *_growth(results["rows"])]
    return "\n\n".join(parts) + "\n"


def ratios(rows: Sequence[Row]) -> str:
    """Times faster than the plain path: an engine a line, a size a column."""
    sizes = list(dict.fromkeys(size_text(row["size"]) for row in rows))
    engines: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["engine"] != PLAIN:
            engines.setdefault(side_text(row), {})[size_text(row["size"])] = f"{row['times_faster']:.2f}"
    lines = [[name, *(cells.get(size, "") for size in sizes)] for name, cells in engines.items()]
    return table(["times faster than plain", *sizes], lines)


def size_text(size: Sequence[int]) -> str:
    return f"{size[0]}×{size[1]}"


def time_text(seconds: Row) -> str:
    """Milliseconds: the median, and between which the middle half of all calls lies."""
    lower, median, upper = (_ms(seconds[part]) for part in ("lower_quartile", "median", "upper_quartile"))
    return f"{median} ({lower}–{upper})"


def side_text(row: Row) -> str:
    """An engine, with its precision where that is not float32."""
    return row["engine"] if row["precision"] == "fp32" else f"{row['engine']}, {row['precision']}"


def _explanation(results: Row) -> str:
    peaks = results["peaks"]
    probed = peaks["multiply_adds"]
    found = [f"{rate:.0f} GFLOP/s in products of matrices ({name})" for name, rate in peaks["products"].items()]
    found += [] if probed is None else [f"{probed:.0f} GFLOP/s in multiply-adds alone"]
    return (
        f"Measured peaks: {', '.join(found)}, {peaks['copy']:.3g} GB/s in copying (read + written). One picture at a "
        f"time, height × width; median (interquartile range) of {results['repeats']} rounds in which all take turns. "
        "“plain” is the network as it was published: one-hot and coordinate planes, unfolded cells, one batched "
        "product a layer, convolutions one by one. Every engine's whole picture was first shown equal to its (error: "
        "the largest difference; below fp32 its root mean square). GFLOP/s count the definition's arithmetic, twice "
        f"its multiply-adds, however much of it an engine avoids. {_memory_text(results)} {_allocator_text(results)}"
    ).strip()


def _memory_text(results: Row) -> str:
    if all(row["memory_bytes"] is None for row in results["rows"]):
        return "Memory was not measured."
    return (
        "Memory is what is in use at a time, beyond network, input and output; what the system's allocator keeps of "
        "freed blocks comes on top."
    )


def _allocator_text(results: Row) -> str:
    if results["freed_memory_kept"]:
        return "For the times, freed memory stays with the process, as in `pixelwise translate`, for all alike."
    return (
        "For the times, memory is freed as the system does by default, so that large blocks are had from it anew each "
        "time, page by page; the plain path needs most of them."
    )


def _cells(row: Row) -> list[str]:
    return [
        size_text(row["size"]),
        side_text(row),
        f"{row['times_faster']:.2f}",
        time_text(row["seconds"]),
        f"{_ms(row['stream_seconds'])} + {_ms(row['pixelwise_seconds'])}",
        f"{row['ms_per_megapixel']:.3g}",
        f"{row['gflops']['whole']:.3g}",
        f"{100 * row['fraction_of_peak']['whole']:.0f} %",
        _megabytes(row),
        f"{row['error']:.1e}" if row["engine"] != PLAIN else "",
    ]


def _growth(rows: Sequence[Row]) -> list[str]:
    parts = []
    for held in dict.fromkeys(row["held"] for row in rows):
        lines = [
            [
                side_text(row),
                size_text(row["size"]),
                time_text(row["seconds"]),
                f"{_ms(row['stream_seconds'])} + {_ms(row['pixelwise_seconds'])}",
                f"{row['ms_per_megapixel']:.4g}",
                f"{row['pixelwise_ms_per_megapixel']:.4g}",
                _megabytes(row),
            ]
            for row in rows
            if row["held"] == held
        ]
        heads = ["engine", "size", "ms", "stream + pixels", "ms per Mpixel", "of pixels alone", "memory, MB"]
        parts += [f"Held: {held}.", table(heads, lines)]
    return parts


def _megabytes(row: Row) -> str:
    """Of memory; empty where it was not measured."""
    memory = row["memory_bytes"]
    return "" if memory is None else f"{memory / 1e6:.3g}"


def _ms(seconds: float) -> str:
    """Three digits, whatever the magnitude."""
    return f"{1000 * seconds:.0f}" if seconds >= 0.1 else f"{1000 * seconds:.3g}"
