"""What the package ships: small, sound, and honest about where it comes from."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

import pixelwise
from pixelwise.checkpoint import BUNDLED, read_manifest
from pixelwise.models import FAMILIES

EXAMPLES = Path(__file__).parents[1] / "examples"
OF_LABELS = ("facades", "street")
NAMES = (*OF_LABELS, "denoise")
MAX_BYTES = 12_000_000


def test_exactly_these_are_bundled() -> None:
    assert sorted(path.stem for path in BUNDLED.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_small_half_precision_and_documented(name: str) -> None:
    path = BUNDLED / f"{name}.safetensors"
    assert path.stat().st_size < MAX_BYTES
    with safe_open(path, framework="pt") as file:
        tensors = [file.get_tensor(key) for key in file.keys()]  # noqa: SIM118
    # Batch norm counts its batches in an integer.
    assert {tensor.dtype for tensor in tensors if tensor.is_floating_point()} == {torch.float16}
    manifest = read_manifest(path)
    assert manifest.family in FAMILIES
    assert manifest.weights == "ema"
    assert manifest.step > 0
    assert "research" in manifest.licence
    assert "samples of" in manifest.source
    assert set(manifest.metrics) == {"psnr", "ssim"}


@pytest.mark.parametrize("name", OF_LABELS)
def test_every_class_that_the_demo_draws_is_known(name: str) -> None:
    spec = read_manifest(BUNDLED / f"{name}.safetensors").spec.labels
    assert spec is not None
    for path in (EXAMPLES / name).glob("*.png"):
        spec.index(np.asarray(Image.open(path)), path)


@pytest.mark.parametrize("name", OF_LABELS)
def test_a_picture_shows_its_label_map(name: str) -> None:
    """Classes have looks of their own: a model that ignored its input, or had saturated, would fail here."""
    label_map = Image.open(next((EXAMPLES / name).glob("*.png")))
    photo = np.asarray(pixelwise.load(name)(label_map), np.float32)
    assert photo.shape == (label_map.height, label_map.width, 3)
    labels = np.asarray(label_map)
    means = np.stack([photo[labels == label].mean(axis=0) for label in np.unique(labels)])
    assert means.std(axis=0).max() > 10
    assert np.isin(photo, (0, 255)).mean() < 0.5


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_is_taken_away(channels: int) -> None:
    clean = np.asarray(pixelwise.load("facades")(Image.open(next((EXAMPLES / "facades").glob("*.png")))))
    clean = clean[..., :channels]
    noise = np.random.default_rng(0).normal(0, 25, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).round().astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a colour model says that it takes a grey photo
        restored = pixelwise.load("denoise")(noisy)
    assert restored.shape == clean.shape
    before, after = (np.square(picture.astype(np.float64) - clean).mean() for picture in (noisy, restored))
    # 3 dB at least: a model that gave its input back, or blurred it all, would fail here.
    assert after < before / 2
