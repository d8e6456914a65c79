"""What scripts/bundle.py puts into the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from tiny_model import LABEL_MODEL, save_tiny_model
from tiny_pairs import write_pairs

from pixelwise import checkpoint
from pixelwise.checkpoint import load_checkpoint
from pixelwise.errors import InputError

SCRIPT = Path(__file__).parents[2] / "scripts" / "bundle.py"
EXPERIMENT = """
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=AsapNetConfig(cell=4, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2),
    dataset="paired_folder", data={data!r}, out={out!r}, licence="for a test",
)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """It bundles into a folder of its own."""
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "bundled")
    spec = importlib.util.spec_from_file_location("bundle_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """One whose run has been."""
    data, out = write_pairs(tmp_path / "pairs"), tmp_path / "run"
    save_tiny_model(out / "last.safetensors", LABEL_MODEL)
    path = tmp_path / "experiment.py"
    path.write_text(EXPERIMENT.format(data=str(data), out=str(out)))
    return path


def test_a_run_is_bundled_with_the_scores_of_what_is_stored(
    script: ModuleType, experiment: Path, tmp_path: Path
) -> None:
    script.bundle(experiment, "tiny")
    bundled = load_checkpoint(tmp_path / "bundled" / "tiny.safetensors")
    assert bundled.manifest.metrics.keys() == {"psnr", "ssim"}
    assert bundled.manifest.licence == "for a test"
    assert "scores on 4 of its val split" in bundled.manifest.source
    trained = load_checkpoint(tmp_path / "run" / "last.safetensors")
    for name, weight in trained.generator.state_dict().items():  # type: ignore[attr-defined]
        stored = bundled.generator.state_dict()[name]  # type: ignore[attr-defined]
        assert torch.equal(stored, weight.half().float() if weight.is_floating_point() else weight)


def test_what_is_too_large_or_cannot_be_measured_replaces_nothing(
    script: ModuleType, experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.bundle(experiment, "tiny")
    before = (tmp_path / "bundled" / "tiny.safetensors").read_bytes()
    monkeypatch.setattr(script, "MAX_BYTES", 100)
    with pytest.raises(InputError, match=r"tiny\.safetensors: would be \d+ bytes, the package may ship less than 100"):
        script.bundle(experiment, "tiny")
    (tmp_path / "pairs" / "val" / "image" / "0.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"0\.png"):
        script.bundle(experiment, "tiny")
    assert [path.name for path in (tmp_path / "bundled").iterdir()] == ["tiny.safetensors"]
    assert (tmp_path / "bundled" / "tiny.safetensors").read_bytes() == before
