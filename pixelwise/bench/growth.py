"""How time grows with the number of pixels, which the plain path can't show: its memory ends first.

Two things may be meant. One network on ever larger pictures has cells of the same size, and ever more of them: stream
and pixels both grow. The published networks have sixteen cells a side whatever the size: the stream's convolutions
stay the same, its reduction and the pixels grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pixelwise.allocator import keep_freed_memory
from pixelwise.bench.contest import Contestant, line_up, measure_in_turns, prove_equal
from pixelwise.bench.measurement import Progress, circumstances_of
from pixelwise.bench.memory import peak_bytes
from pixelwise.bench.plan import Plan
from pixelwise.bench.precision import precisions_on
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import FULL_SIZE, full_size, random_network
from pixelwise.bench.table import Row

SIDES = (1024, 2048, 4096, 8192)
"""Of square pictures: 1 to 64 megapixels."""

SIXTEEN_CELLS = "16 x 16 cells"
"""The name of the series in which the number of cells is held."""


def measure_growth(plan: Plan, sides: tuple[int, ...] = SIDES, progress: Progress = print) -> Row:
    """The full-size network on square pictures, engines in turns; and what a reader must know to judge it.

    Args:
        plan: its models, sizes and effort do not count; the reference engine must be named to be measured, since it
            needs as much memory as the plain path.
        sides: in pixels, rising.
        progress: is told what comes next.

    Raises:
        Unequal: an engine differs from the plain path at the smallest size.
        InputError: an engine that was named cannot run here.
    """
    if plan.freed_memory_kept:
        keep_freed_memory()
    first = sides[0] // 16
    rows = measure_series(plan, f"cells of {first} pixels", [(side, first) for side in sides], progress)
    rows += measure_series(plan, SIXTEEN_CELLS, [(side, side // 16) for side in sides], progress)
    return {**circumstances_of(plan), "rows": rows}


def measure_series(plan: Plan, held: str, pictures: Sequence[tuple[int, int]], progress: Progress = print) -> list[Row]:
    """One of the two, a row for each engine and picture.

    Args:
        plan, progress: see ``measure_growth``, also for what is raised.
        held: what the series is called.
        pictures: their sides and cells in pixels, rising.
    """
    rows: list[Row] = []
    for side, cell in pictures:
        progress(f"{held}, {side}x{side}")
        generator = random_network(full_size(cell)).to(plan.device)
        condition = draw_condition(generator.config, (side, side)).to(plan.device)
        (plain, *able), _ = line_up(generator, condition, plan.engines, precisions_on(plan.device))
        entrants = [entrant for entrant in able if plan.engines or entrant.engine != "reference"]
        if not rows:
            prove_equal([plain, *entrants], plan.device)
        for entrant, times in measure_in_turns(entrants, plan.repeats, plan.warm_up, plan.device).items():
            megapixels = side**2 / 1e6
            rows.append(
                {
                    "held": held,
                    "size": (side, side),
                    "cell": cell,
                    "engine": entrant.engine,
                    "precision": entrant.precision.name,
                    "seconds": asdict(times.whole),
                    "stream_seconds": times.stream,
                    "pixelwise_seconds": times.pixelwise,
                    "ms_per_megapixel": 1000 * times.whole.median / megapixels,
                    "pixelwise_ms_per_megapixel": 1000 * times.pixelwise / megapixels,
                    "memory_bytes": _memory(plan, entrant, side, cell),
                }
            )
    return rows


def _memory(plan: Plan, entrant: Contestant, side: int, cell: int) -> int | None:
    if not plan.memory:
        return None
    return peak_bytes(FULL_SIZE, (side, side), entrant.engine, entrant.precision.name, plan.device, cell)
