"""What scripts/bundle.py puts into the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from tiny_model import LABEL_MODEL, save_tiny_model
from tiny_pairs import write_pairs

from pixelwise import checkpoint
from pixelwise.checkpoint import load_checkpoint

SCRIPT = Path(__file__).parents[2] / "scripts" / "bundle.py"
EXPERIMENT = """
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=AsapNetConfig(cell=4, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2),
    dataset="paired_folder", data={data!r}, out={out!r}, licence="for a test",
)
"""


def test_a_run_is_bundled_with_the_scores_of_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "bundled")
    spec = importlib.util.spec_from_file_location("bundle_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    data, out = write_pairs(tmp_path / "pairs"), tmp_path / "run"
    trained = load_checkpoint(save_tiny_model(out / "last.safetensors", LABEL_MODEL))
    experiment = tmp_path / "experiment.py"
    experiment.write_text(EXPERIMENT.format(data=str(data), out=str(out)))
    script.bundle(experiment, "tiny")
    bundled = load_checkpoint(tmp_path / "bundled" / "tiny.safetensors")
    assert bundled.manifest.metrics.keys() == {"psnr", "ssim"}
    assert bundled.manifest.licence == "for a test"
    assert "scores on 4 of its val split" in bundled.manifest.source
    for name, weight in trained.generator.state_dict().items():  # type: ignore[attr-defined]
        stored = bundled.generator.state_dict()[name]  # type: ignore[attr-defined]
        assert torch.equal(stored, weight.half().float() if weight.is_floating_point() else weight)
