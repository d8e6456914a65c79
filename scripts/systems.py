"""Writes README's list of systems, from what the families say of themselves: python scripts/systems.py"""

from __future__ import annotations

from pathlib import Path

import torch

from pixelwise.atomic import write_text
from pixelwise.errors import InputError
from pixelwise.markdown import table
from pixelwise.metrics.complexity import num_parameters
from pixelwise.models import FAMILIES
from pixelwise.models.family import Family, Published

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- written by scripts/systems.py -->", "<!-- end of what scripts/systems.py writes -->"


def systems() -> str:
    """A family a line, in Markdown."""
    heads = ("system", "paper", "published configurations (parameters, M)")
    return table(heads, map(line, FAMILIES.values()), num_words=len(heads))


def line(family: Family) -> list[str]:
    link = f"[`{family.name}`](pixelwise/models/{family.name}.py)"
    configurations = (f"`{name}` ({millions(family, published)})" for name, published in family.published.items())
    return [link, family.paper, ", ".join(configurations)]


def millions(family: Family, published: Published) -> str:
    """Without memory for the weights, which nobody reads."""
    with torch.device("meta"):
        return f"{num_parameters(family.generator(published.config)) / 1e6:.3g}"


def with_systems(readme: str) -> str:
    """The same text with the present list between its two markers. Raises InputError without each of them once."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise InputError(f"README: expected {BEGIN!r} and {END!r} once each")
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{systems()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    content = with_systems(README.read_text(encoding="utf-8"))
    write_text(README, content)
