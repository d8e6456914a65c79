"""Translates the label maps beside this file with the bundled models; `make demo` runs it.

Writes the pictures and one contact sheet, input | output, to out/demo.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.contact_sheet import condition_pictures, contact_sheet
from pixelwise.translate import Translator, job_plan, jobs, load

HERE = Path(__file__).parent
OUT = Path("out/demo")
PAIRS_PER_ROW = 3


def translate(translator: Translator, folder: Path) -> list[jobs.Outcome]:
    """Translates a folder of label maps to one of the same name under ``OUT``, and says how long it took."""
    planned = job_plan.plan([str(folder)], OUT / folder.name)
    # The first picture pays for what later ones find ready; it is done twice and timed once.
    list(jobs.run(translator, planned[:1], overwrite=True))
    outcomes = list(jobs.run(translator, planned, overwrite=True))
    if failed := [outcome.error for outcome in outcomes if outcome.error is not None]:
        sys.exit("\n".join(failed))
    print(f"{folder.name}: {len(outcomes)} pictures in {OUT / folder.name}, {jobs.speed_text(outcomes)}")
    return outcomes


def pairs(translator: Translator, outcomes: list[jobs.Outcome]) -> list[list[np.ndarray]]:
    """Rows of input, output, input, output, …"""
    pictures = []
    for outcome in outcomes:
        condition = translator.read_condition(outcome.job.source)
        pictures += [*condition_pictures(condition, translator.manifest.spec), images.read(outcome.job.destination)]
    return [pictures[start : start + 2 * PAIRS_PER_ROW] for start in range(0, len(pictures), 2 * PAIRS_PER_ROW)]


def main() -> None:
    sheets = []
    for name in ("facades", "street"):
        translator = load(name)
        outcomes = translate(translator, HERE / name)
        # The larger scenes, which show that any size works, would leave the others lost in white.
        usual = min(outcome.size for outcome in outcomes)
        rows = pairs(translator, [outcome for outcome in outcomes if outcome.size == usual])
        sheets.append([contact_sheet(rows)])
    images.write(OUT / "contact_sheet.png", contact_sheet(sheets))
    print(f"contact sheet, input | output: {OUT / 'contact_sheet.png'}")


if __name__ == "__main__":
    main()
