"""All that is measured, as rows that JSON can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from pixelwise import machine
from pixelwise.allocator import keep_freed_memory
from pixelwise.atomic import check_writable, write_text
from pixelwise.bench.contest import Times, line_up, measure_in_turns, prove_equal
from pixelwise.bench.memory import peak_bytes
from pixelwise.bench.peaks import Peaks, measure_peaks
from pixelwise.bench.plain import PlainAsapNet
from pixelwise.bench.plan import Plan
from pixelwise.bench.precision import precisions_on
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import Size, build
from pixelwise.bench.table import Row, markdown
from pixelwise.errors import InputError
from pixelwise.metrics.complexity import Macs, count_macs

Progress = Callable[[str], object]


def measure(plan: Plan, progress: Progress = print) -> Row:
    """Every engine on every model at every size, beside the plain path, and what a reader must know to judge it.

    Args:
        plan: what to measure, with as many threads as torch uses.
        progress: is told what comes next.

    Raises:
        Unequal: an engine does not compute the same, so that nothing is returned.
        InputError: an engine that was named cannot run here, or a model that cannot be had.
    """
    if plan.freed_memory_kept:
        keep_freed_memory()
    progress("what this machine could do at best")
    peaks = measure_peaks(plan.device, precisions_on(plan.device), plan.effort)
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    for model in plan.models:
        for size in plan.sizes:
            progress(f"{model}, {size[0]}x{size[1]}")
            timed, unable = _rows(plan, model, size, peaks)
            rows += [{**row, "memory_bytes": _memory(plan, row)} for row in timed]
            left_out |= unable
    return {
        **circumstances_of(plan),
        "peaks": {**asdict(peaks), "best": {name: peaks.of(name) for name in peaks.products}},
        "left_out": left_out,
        "rows": rows,
    }


def circumstances_of(plan: Plan) -> Row:
    """What a reader must know of any measurement."""
    return {
        **machine.circumstances(str(plan.device)),
        "repeats": plan.repeats,
        "freed_memory_kept": plan.freed_memory_kept,
    }


def check_out(path: Path) -> None:
    """Raises InputError where ``write`` could not write: before anything is measured."""
    if path.suffix != ".json":
        raise InputError(f"{path}: the results are JSON, expected a name that ends in .json")
    for file in (path, path.with_suffix(".md")):
        check_writable(file)


def write(results: Row, path: Path, to_markdown: Callable[[Row], str] = markdown) -> None:
    """The results as JSON, and beside them, made from them, the tables: the same name with .md."""
    content = json.dumps(results, indent=1)
    tables = to_markdown(json.loads(content))
    write_text(path, f"{content}\n")
    write_text(path.with_suffix(".md"), tables)


def _rows(plan: Plan, model: str, size: Size, peaks: Peaks) -> tuple[list[Row], dict[str, str]]:
    """One model at one size, the plain path first, then the engines; and why some are left out."""
    generator = build(model, size).to(plan.device)
    condition = draw_condition(generator.config, size).to(plan.device)
    contestants, unable = line_up(generator, condition, plan.engines, precisions_on(plan.device))
    errors = prove_equal(contestants, plan.device)
    macs = count_macs(PlainAsapNet(generator), condition)
    times = measure_in_turns(contestants, plan.repeats, plan.warm_up, plan.device)
    present = 0 if condition.labels is None else len(condition.labels.unique())
    rows = [
        {
            "model": model,
            "size": size,
            "cell": generator.config.cell,
            "labels_present": present,
            "engine": side.engine,
            "precision": side.precision.name,
            "error": errors[side],
            **_speed(times[side], size, macs, peaks.of(side.precision.name)),
            "times_faster": times[contestants[0]].whole.median / times[side].whole.median,
        }
        for side in contestants
    ]
    return rows, unable


def _speed(times: Times, size: Size, macs: Macs, peak: float) -> Row:
    """Seconds, and what follows from them and the definition's arithmetic, however an engine does it."""
    assert macs.pixelwise is not None
    assert macs.low_resolution is not None
    operations = {"whole": 2 * macs.total, "stream": 2 * macs.low_resolution, "pixelwise": 2 * macs.pixelwise}
    seconds = {"whole": times.whole.median, "stream": times.stream, "pixelwise": times.pixelwise}
    rates = {part: operations[part] / seconds[part] / 1e9 for part in operations}
    return {
        "seconds": asdict(times.whole),
        "stream_seconds": times.stream,
        "pixelwise_seconds": times.pixelwise,
        "ms_per_megapixel": times.whole.median * 1e9 / (size[0] * size[1]),
        "macs": {"total": macs.total, "low_resolution": macs.low_resolution, "pixelwise": macs.pixelwise},
        "gflops": rates,
        "fraction_of_peak": {part: rate / peak for part, rate in rates.items()},
    }


def _memory(plan: Plan, row: Row) -> int | None:
    if not plan.memory:
        return None
    return peak_bytes(row["model"], row["size"], row["engine"], row["precision"], plan.device)
