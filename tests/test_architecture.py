"""ARCHITECTURE's floors are those that import-linter holds."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def half_floors(text: str) -> list[set[str]]:
    return [{name.strip() for name in part.split("|")} for part in text.split("->")]


def test_the_floors_are_up_to_date() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = re.search(r"^4 doors .*?(?=^```)", architecture, re.MULTILINE | re.DOTALL)
    assert block is not None
    drawn = half_floors(re.sub(r"^\d \w+", "->", block[0].removeprefix("4 doors"), flags=re.MULTILINE))
    held = re.search(r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert held is not None
    layers = re.findall(r'"(.*)"', held[1])
    assert drawn == half_floors("->".join(layers).replace("pixelwise.", ""))
