from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from pixelwise import images
from pixelwise.errors import InputError
from pixelwise.evaluation.contents import recorded

record = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "contents.py"))["record"]


def test_protocols_of_one_set_share_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.evaluation.contents._LISTS", tmp_path / "recorded")
    for kind in ("depth", "label", "image"):
        images.write(tmp_path / "val" / kind / "a.png", np.zeros((4, 4), np.uint8))
    record("nyu-depth-val-v1", tmp_path)
    assert list(recorded("nyu-val")) == ["depth/a", "image/a"]
    record("nyu-photo-val-v1", tmp_path)
    assert list(recorded("nyu-val")) == ["depth/a", "image/a", "label/a"]


def test_a_protocol_without_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ade20k-v1: names no list that its files could stand in"):
        record("ade20k-v1", tmp_path)
