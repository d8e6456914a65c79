"""What spec.json says of data belongs to them: once it says otherwise, they are observed anew."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_pairs import write_pairs

from pixelwise import images
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.evaluation import Comparison, Setting, prepare
from pixelwise.evaluation.own_data import own_protocol
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec


def figures(pairs: Path, spec: FolderSpec, made: Path, report: Path) -> dict[str, Any]:
    """Of finished pictures, with this spec; what was begun in the folder ``report`` is gone on with."""
    (pairs / "spec.json").write_text(json.dumps(spec.to_json()))
    examination = prepare(Setting(own_protocol(pairs, "val"), pairs, device="cpu"))
    (row,) = Comparison(examination, report, "cpu").run([str(made)])["models"]
    found: dict[str, Any] = row["figures"]
    return found


def test_holes_that_it_tells_of_do_not_count(tmp_path: Path) -> None:
    pairs, made = tmp_path / "pairs", tmp_path / "made"
    depth = np.full((16, 16), 2000, np.uint16)
    images.write(made / "a.png", depth)
    depth[:4] = 0
    images.write(pairs / "val" / "depth" / "a.png", depth)
    images.write(pairs / "val" / "image" / "a.png", np.zeros((16, 16, 3), np.uint8))
    stored = ImageSpec(1, "uint16", unit="mm")
    spec = FolderSpec(("image",), "depth", images={"depth": stored})
    assert figures(pairs, spec, made, tmp_path / "report")["abs_rel"] == math.inf
    spec = replace(spec, images={"depth": replace(stored, holes=True)})
    assert figures(pairs, spec, made, tmp_path / "report")["abs_rel"] == pytest.approx(0, abs=1e-6)


def test_a_class_that_it_adds_is_counted(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs")
    for names, ids in (("abcd", (0, 1, 2, 4)), ("abcde", (0, 1, 2, 4, 5))):
        spec = FolderSpec(("image",), "label", LabelSpec(tuple(names), ids=ids))
        made = pairs / "val" / "label"
        assert figures(pairs, spec, made, tmp_path / "report")["pixel_accuracy"] == 1
