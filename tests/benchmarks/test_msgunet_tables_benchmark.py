"""MSG U-Net's tables: all networks are trained and judged alike on every set, and the page says what the JSON says."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import typer

from pixelwise import images
from pixelwise.condition import Condition
from pixelwise.data.camvid import LABELS, camvid
from pixelwise.data.maps import maps
from pixelwise.evaluation import Protocol, Setting, evaluate
from pixelwise.evaluation.protocol import digest
from pixelwise.layers.pyramid import pyramid
from pixelwise.metrics.complexity import count_macs
from pixelwise.models import family_of
from pixelwise.models.family import Translation
from pixelwise.translate import load

SIZE, HALF = (48, 64), (24, 32)
MEASURES = ("psnr", "ssim", "vif")
STREETS = Protocol("streets-v1", camvid, "val", digest(("a", "b")), MEASURES, True, "little", SIZE)
AERIAL = Protocol("aerial-v1", maps, "val", digest(("a", "b")), MEASURES, True, "little", SIZE)
TINY = {
    "pix2pix": {"width": 2, "num_downsamplings": 4},
    "PAN": {"width": 2, "num_downsamplings": 3},
    "pix2pixHD": {"width": 2, "num_downsamplings": 2, "num_blocks": 1},
    "MSG U-Net": {"width": 2, "num_scales": 2, "num_downsamplings": 2},
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Streets, and photos that are their own maps."""
    random, root = np.random.default_rng(0), tmp_path / "data"
    for split in ("train", "val"):
        for name in "ab":
            labels = np.kron(random.integers(0, LABELS.num_channels, (6, 8)), np.ones((8, 8), np.int64))
            photo = np.kron(random.integers(256, size=(12, 16, 3), dtype=np.uint8), np.ones((4, 4, 1), np.uint8))
            images.write_labels(root / "camvid" / split / "label" / f"{name}.png", labels, LABELS)
            images.write(root / "camvid" / split / "image" / f"{name}.png", photo)
            images.write(root / "maps" / split / "ab" / f"{name}.png", np.concatenate([photo, photo], axis=1))
    return root


@pytest.fixture
def tables() -> ModuleType:
    return importlib.import_module("msgunet_tables")


@pytest.fixture
def tiny_tables(tables: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    budget = {"batch_size": 2, "steps": 2, "constant_steps": 1, "validation_samples": 1, "device": "cpu"}
    networks = {}
    for name, config in tables.NETWORKS.items():
        scales = {"num_scales": 2} if name == "MSG U-Net" else {}
        judge = replace(config.discriminator, width=2, **scales)
        networks[name] = replace(config, model=replace(config.model, **TINY[name]), discriminator=judge, **budget)
    sets = (
        tables.PictureSet("Streets", "camvid", "camvid", STREETS),
        tables.PictureSet("Aerial", "maps", "maps", AERIAL),
    )
    for name, value in {"NETWORKS": networks, "SETS": sets, "SCENE_SIZE": SIZE}.items():
        monkeypatch.setattr(tables, name, value)
    trials = importlib.import_module("trials")
    monkeypatch.setattr(trials, "SCENES", trials.SCENES[:1])
    return tables


def test_networks_are_trained_and_judged_on_every_set(tiny_tables: ModuleType, data: Path, tmp_path: Path) -> None:
    places = {"runs": tmp_path / "runs", "rounds": 1, "threads": 1, "out": tmp_path, "sheets": tmp_path}
    tiny_tables.main(data, **places)
    results = json.loads((tmp_path / "msgunet_tables.json").read_text())
    text = (tmp_path / "msgunet_tables.md").read_text(encoding="utf-8")
    assert [found["title"] for found in results["sets"]] == ["Streets", "Aerial"]
    assert all([row["name"] for row in found["rows"]] == list(TINY) for found in results["sets"])
    for number, name in enumerate(TINY):
        figures = [found["rows"][number]["figures"] for found in results["sets"]]
        cells = [f"{each['psnr']:.2f} | {each['ssim']:.3f} | {each['vif']:.3f}".replace("-", "−") for each in figures]
        assert f"| {name} | {' | '.join(cells)} |" in text
    checkpoints = tmp_path / "runs" / "msgunet_tables"
    for found, protocol, folder in zip(results["sets"], (STREETS, AERIAL), ("camvid", "maps"), strict=True):
        by_size = found["by_size"]
        assert by_size["sizes"] == [list(HALF), list(SIZE)]
        assert np.shape(by_size["ssim"]) == (2, 2)
        # In the corner stands what all networks are judged by.
        assert by_size["ssim"][1][1] == pytest.approx(found["rows"][-1]["figures"]["ssim"], abs=1e-6)
        model = load(checkpoints / folder / "MSG_U_Net" / "last.safetensors", "cpu")
        reduced = evaluate(model, protocol.from_source(HALF), data / folder)
        assert by_size["ssim"][0][1] == pytest.approx(reduced.figures["ssim"], abs=1e-6)
        for size, (small, large) in zip(("24×32", "48×64"), by_size["ssim"], strict=True):
            assert f"| {size} | {small:.3f} | {large:.3f} |" in text
    assert images.read(tmp_path / "msgunet_tables.jpg").shape[1] == 5 * SIZE[1] + 4 * 4


def test_training_alone_measures_nothing(
    tiny_tables: ModuleType, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_tables, "SETS", tiny_tables.SETS[1:])
    tiny_tables.main(data, runs=tmp_path / "runs", threads=1, train_only=True, out=tmp_path / "out", sheets=tmp_path)
    assert len([*(tmp_path / "runs").rglob("last.safetensors")]) == len(TINY)
    assert not (tmp_path / "out").exists()


def test_data_that_are_not_there_are_refused(
    tiny_tables: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        tiny_tables.main(tmp_path / "nowhere", runs=tmp_path / "runs", threads=1, out=tmp_path, sheets=tmp_path)
    assert "nowhere" in capsys.readouterr().err


def test_pictures_of_other_names_are_refused_before_anything_is_trained(
    tiny_tables: ModuleType, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in (data / "camvid" / "val").iterdir():
        (part / "b.png").rename(part / "c.png")
    with pytest.raises(typer.Exit):
        tiny_tables.main(data, runs=tmp_path / "runs", threads=1, out=tmp_path, sheets=tmp_path)
    assert "are not those of streets-v1" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_outputs_are_compared_at_their_own_size(tables: ModuleType, data: Path) -> None:
    def copy(condition: Condition) -> Translation:
        assert condition.image is not None
        image, *smaller = pyramid(condition.image, 2)
        return Translation(image, pyramid=tuple(smaller))

    copy.config = SimpleNamespace(num_scales=2)
    found = tables.ssim_by_size(SimpleNamespace(generator=copy), Setting(AERIAL, data / "maps", device="cpu"))["ssim"]
    assert found[1] == pytest.approx([1, 1], abs=1e-3)
    assert found[0][1] < found[0][0] < 1


def test_networks_of_the_comparison_cost_alike(tables: ModuleType, tmp_path: Path) -> None:
    streets = Condition(labels=torch.zeros(1, 128, 160, dtype=torch.int64))
    macs = []
    for kind in tables.SETS:
        trials = tables.trials_on(kind, tmp_path)
        assert {config.scale for config in trials.values()} == {kind.protocol.size}
    for config in tables.trials_on(tables.SETS[0], tmp_path).values():
        model = replace(config.model, num_labels=LABELS.num_channels, out_channels=3)
        with torch.no_grad():
            macs.append(count_macs(family_of(model).generator(model).eval(), streets).total)
    assert max(macs) < 1.25 * min(macs)
