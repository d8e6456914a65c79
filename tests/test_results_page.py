"""docs/results.md says what the committed measurements say, and how to have each again."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from pixelwise import machine
from pixelwise.cli import bench
from pixelwise.errors import InputError

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "results.py"))
NAMES = sorted(path.stem for path in RESULTS.glob("*.json"))


def content(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return read


@pytest.fixture
def page() -> str:
    return (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date(page: str) -> None:
    assert SCRIPT["page"](RESULTS) == page, "run: python scripts/results.py"


def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    anchors = re.findall(r"\]\(#(.*?)\)", page)
    assert sorted(anchors) == NAMES
    assert sorted(re.findall(r'<a id="(.*?)">', page)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_result_stands_beside_a_command_that_exists(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    results = content(name)
    command = SCRIPT["measurement_of"](name, results).command(results)
    *before, called = command.split("; ")
    for experiment in re.findall(r"experiments/\w+\.py", " ".join(before)):
        assert (ROOT / experiment).is_file()
    if "models" in results:
        assert called.startswith("pixelwise evaluate ")
        # All that it names has been made before.
        assert set(re.findall(r"runs/(\w+)", called)) <= set(
            re.findall(r"(?:experiments|runs)/(\w+)", " ".join(before))
        )
        return
    script = re.match(r"python benchmarks/(\w+)\.py|pixelwise bench", called)
    assert script is not None
    function = importlib.import_module(script[1]).main if script[1] else bench
    options = set(inspect.signature(function).parameters)
    given = {flag.replace("-", "_") for flag in re.findall(r"--([\w-]+)", called)}
    assert given <= options
    assert "threads" in given


@pytest.mark.parametrize("name", sorted(path.stem for path in RESULTS.glob("*.md")))
def test_tables_say_what_the_results_say(name: str) -> None:
    results = content(name)
    made = SCRIPT["measurement_of"](name, results).markdown(results)
    assert made == (RESULTS / f"{name}.md").read_text(encoding="utf-8"), "made otherwise than by the code that is here"


def test_evaluations_bring_their_own_command() -> None:
    model = {"model": "street", "figures": {"psnr": 15.0}}
    digests = {"names_sha256": "a", "targets_sha256": "b"}
    results = {"protocol": "camvid-val-v1", "what": "x", "samples": 1, **digests, "command": "pixelwise evaluate x"}
    results |= {"circumstances": machine.circumstances(), "models": [model]}
    section = SCRIPT["section"]("street", SCRIPT["measurement_of"]("street", results), results)
    assert section.startswith('<a id="street"></a>\n\n## camvid-val-v1\n\nFrom [street.json](')
    assert "```\npixelwise evaluate x\n```" in section
    assert "### Fidelity" in section


def test_results_that_nobody_knows_are_refused(tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text('{"rows": []}')
    with pytest.raises(InputError, match=r"new.json: neither in MEASUREMENTS nor what `pixelwise evaluate` writes"):
        SCRIPT["page"](tmp_path)


def test_readme_links_to_the_page() -> None:
    assert "(docs/results.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
