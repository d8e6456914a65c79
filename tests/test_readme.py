"""README's list of systems says what the families say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from pixelwise.errors import InputError
from pixelwise.models import FAMILIES

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "systems.py"))


def test_the_list_of_systems_is_up_to_date() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert SCRIPT["with_systems"](readme) == readme, "run: python scripts/systems.py"
    for name, family in FAMILIES.items():
        assert f"| [`{name}`](pixelwise/models/{name}.py) | {family.paper} | " in readme
        assert (ROOT / "pixelwise" / "models" / f"{name}.py").exists()


def test_parameters_are_counted() -> None:
    spade = FAMILIES["spade"]
    assert SCRIPT["millions"](spade, spade.published["cityscapes"]) == "93"


@pytest.mark.parametrize("text", ["", "{BEGIN}", "{END}", "{BEGIN}{BEGIN}{END}"])
def test_a_readme_without_its_markers_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="once each"):
        SCRIPT["with_systems"](text.format(BEGIN=SCRIPT["BEGIN"], END=SCRIPT["END"]))
