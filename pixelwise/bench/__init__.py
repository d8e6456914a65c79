"""How fast are pictures made here? Engines beside the plain path, shown to compute the same before they are timed."""

from __future__ import annotations

from pixelwise.bench.contest import Unequal
from pixelwise.bench.families import measure_published
from pixelwise.bench.families_table import families_markdown
from pixelwise.bench.growth import measure_growth
from pixelwise.bench.measurement import check_out, measure, write
from pixelwise.bench.plan import Plan, plan_on
from pixelwise.bench.subject import FULL_SIZE
from pixelwise.bench.table import growth_markdown, markdown

__all__ = [
    "FULL_SIZE",
    "Plan",
    "Unequal",
    "check_out",
    "families_markdown",
    "growth_markdown",
    "markdown",
    "measure",
    "measure_growth",
    "measure_published",
    "plan_on",
    "write",
]
