from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL
import pytest
import torch

from pixelwise import machine
from pixelwise.machine import differing_versions, versions, versions_from, versions_text


def test_what_computes_and_what_decodes_is_said() -> None:
    found = versions()
    assert (found["torch"], found["numpy"], found["pillow"]) == (torch.__version__, np.__version__, PIL.__version__)
    assert {"libjpeg_turbo", "jpg"} & found.keys()
    assert f"torch {torch.__version__}, " in versions_text(found)
    assert versions_from(versions_text(found)) == found


def test_only_versions_that_differ_are_told() -> None:
    then, now = {"torch": "1", "numpy": "2", "jpg": "9"}, {"torch": "1", "numpy": "3", "pillow": "4"}
    told = "numpy 2 then and 3 now, jpg 9 then and absent now, pillow absent then and 4 now"
    assert differing_versions(then, now) == told


def test_a_container_has_what_its_limit_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CONTROL_GROUP", tmp_path)
    whole = machine.free_memory()
    (tmp_path / "memory.max").write_text("max\n")
    assert whole is None or machine.free_memory() > 0.5 * whole
    (tmp_path / "memory.max").write_text("3000\n")
    (tmp_path / "memory.current").write_text("2500\n")
    (tmp_path / "memory.stat").write_text("anon 1200\ninactive_file 700\n")
    assert machine.free_memory() == 1200
