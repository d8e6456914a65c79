"""A file's suffix says which segmenter it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from published_drn import published_shapes
from tiny_model import LABELS, PHOTO_MODEL, save_tiny_model
from torch import nn

from pixelwise.errors import InputError
from pixelwise.segmenters import InputScale, segmenter_named


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_each_file_finds_its_reader(tmp_path: Path) -> None:
    ours = save_tiny_model(tmp_path / "ours.safetensors", PHOTO_MODEL, target=LABELS)
    drn = tmp_path / "drn.pth"
    weights = {name: torch.ones(shape) for name, shape in published_shapes().items() if name != "up.weight"}
    torch.save(weights, drn)
    script = tmp_path / "script.pt"
    torch.jit.script(nn.Conv2d(3, 3, 1)).save(str(script))
    found = [
        segmenter_named(str(path), LABELS, "cpu", scale)
        for path, scale in ((ours, None), (drn, None), (script, InputScale()))
    ]
    assert [one.name for one in found] == ["asapnet (ours.safetensors)", "drn_d_22 (drn.pth)", "script.pt"]
    assert [one.find(torch.zeros(1, 3, 16, 24)).shape for one in found] == [(1, 16, 24)] * 3


def test_what_is_no_segmenter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give the file of its weights, such as drn_d_105_cityscapes\.pth"):
        segmenter_named("drn_d_105", LABELS)
    with pytest.raises(InputError, match=r"weights\.bin: no segmenter; expected a \.safetensors file"):
        segmenter_named("weights.bin", LABELS)
    ours = save_tiny_model(tmp_path / "ours.safetensors", PHOTO_MODEL, target=LABELS)
    with pytest.raises(InputError, match="states itself in which numbers it reads pictures"):
        segmenter_named(str(ours), LABELS, inputs=InputScale())
