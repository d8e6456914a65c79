"""`make demo` with models of random weights in place of those that ship."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from tiny_model import save_tiny_model

from pixelwise import checkpoint, images
from pixelwise.condition import ConditionSpec
from pixelwise.data.camvid import LABELS as STREET_LABELS
from pixelwise.data.facades import MINI_LABELS as FACADE_LABELS

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_demo_writes_every_picture_and_a_contact_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, labels in (("facades", FACADE_LABELS), ("street", STREET_LABELS)):
        save_tiny_model(tmp_path / f"{name}.safetensors", ConditionSpec(labels))
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "demo.py"), run_name="__main__")
    for name in ("facades", "street"):
        drawn = {path.name: images.read_ids(path).shape for path in (EXAMPLES / name).iterdir()}
        made = {path.name: images.read(path).shape[:2] for path in (tmp_path / "out" / "demo" / name).iterdir()}
        assert made == drawn
    sheet = images.read(tmp_path / "out" / "demo" / "contact_sheet.png")
    assert sheet.std() > 0
    printed = capsys.readouterr().out
    assert printed.count("ms per megapixel") == 2
    assert "out/demo/contact_sheet.png" in printed
