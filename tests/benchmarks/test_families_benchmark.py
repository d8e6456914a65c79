"""The benchmark of families runs, covers every family, and its tables say what its JSON says. Times are not judged."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.labels import LabelSpec
from pixelwise.models import FAMILIES
from pixelwise.models.asapnet import AsapNet, AsapNetConfig

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = AsapNetConfig(num_labels=3, out_channels=3, cell=8, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2)
TINY_MLP_MACS = (3 + 12) * 4 + 4 * 3


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module("families")
    # It would bind the other tests of this process too.
    monkeypatch.setattr(module, "keep_freed_memory", lambda: None)
    yield module
    torch.set_num_threads(threads)


def translation(model: str, size: list[int], parameters: int, macs: list[int | None], median: float) -> dict[str, Any]:
    return {
        "model": model,
        "size": size,
        "batch": 1,
        "parameters": parameters,
        "macs": dict(zip(("total", "low_resolution", "pixelwise"), macs, strict=True)),
        "seconds": {"median": median, "lower_quartile": median / 2, "upper_quartile": median * 2},
    }


RESULTS = {
    "date": "2026-11-01T12:00:00+00:00",
    "machine": {"cpu": "Abacus 3", "instructions": "AVX2", "cores": 2, "memory_gib": 7.5},
    "versions": {"python": "3.11.2", "torch": "2.13.0", "pixelwise": "0.1.0"},
    "threads": 2,
    "dtype": "float32",
    "plan": {"sizes": [[256, 256], [512, 1024]], "training_size": [64, 96], "training_batch": 2, "repeats": 5},
    "translation": [
        translation("asapnet", [256, 256], 83_200_000, [24_441_000_000, 23_409_000_000, 1_032_000_000], 0.5),
        translation("rival", [256, 256], 54_400_000, [6_600_000_000, None, None], 0.25),
        translation("asapnet", [512, 1024], 83_460_000, [55_400_000_000, 47_010_000_000, 8_390_000_000], 2.0),
        translation("rival", [512, 1024], 54_400_000, [52_800_000_000, None, None], 1.5),
    ],
    "training": [
        {"model": "asapnet", "images_per_second": 0.51234},
        {"model": "rival", "images_per_second": 12.0},
    ],
}


def test_a_quick_run_writes_json_and_tables(
    families: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "subjects", lambda: [families.Subject("asapnet, tiny", lambda size: TINY)])
    families.main(threads=1, repeats=3, quick=True, out=tmp_path)

    results = json.loads((tmp_path / "families.json").read_text())
    assert results["threads"] == 1
    assert results["machine"]["cores"] >= 1
    assert results["versions"]["torch"] == torch.__version__
    assert [row["size"] for row in results["translation"]] == [[64, 64], [64, 128]]
    for row in results["translation"]:
        assert row["parameters"] == sum(parameter.numel() for parameter in AsapNet(TINY).parameters())
        assert row["macs"]["pixelwise"] == row["size"][0] * row["size"][1] * TINY_MLP_MACS
        assert row["macs"]["total"] == row["macs"]["low_resolution"] + row["macs"]["pixelwise"]
        assert 0 < row["seconds"]["lower_quartile"] <= row["seconds"]["median"]
    (training,) = results["training"]
    assert training["images_per_second"] == pytest.approx(training["batch"] / training["seconds"]["median"])

    tables = (tmp_path / "families.md").read_text(encoding="utf-8")
    assert tables == families.markdown(results)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["families.json", "families.md"]


def test_every_family_and_what_ships_is_measured(
    families: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ConditionSpec(LabelSpec(("wall", "window", "door")))
    save_checkpoint(tmp_path / "facades.safetensors", AsapNet(TINY), manifest_for(TINY, spec))
    monkeypatch.setattr(families, "BUNDLED", tmp_path)

    subjects = {subject.name: subject for subject in families.subjects()}
    assert [f"{name}, labels + edge" for name in FAMILIES] == list(subjects)[: len(FAMILIES)]
    assert subjects["asapnet, facades (ships)"].configure((512, 512)) == TINY
    for name, subject in subjects.items():
        assert subject.configure((256, 256)).out_channels == 3, name


def test_published_asapnets_have_sixteen_rows_of_cells(families: ModuleType) -> None:
    pictures = next(subject for subject in families.subjects() if subject.name == "asapnet, RGB")
    assert pictures.configure((512, 1024)) == AsapNetConfig(image_channels=3, out_channels=3, cell=32)


def test_training_updates_both_players(families: ModuleType) -> None:
    sample = families.random_sample(TINY, (64, 64), batch=2)
    game = families.game_on(TINY, sample)
    before = [parameters_of(player) for player in (game.generator, game.discriminator)]
    families.update_both(game, sample)
    for player, old in zip((game.generator, game.discriminator), before, strict=True):
        assert not torch.equal(parameters_of(player), old)


def parameters_of(player: Any) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in player.network.parameters()])


def test_tables_say_what_the_results_say(families: ModuleType) -> None:
    lines = families.markdown(RESULTS).splitlines()
    assert "Abacus 3 (AVX2), 2 cores, 7.5 GiB; 2 threads, float32; torch 2.13.0, pixelwise 0.1.0; " in "".join(lines)
    tables = [line for line in lines if line.startswith("|")]
    assert tables == [
        "| model | 256×256 | 512×1024 |",
        "| --- | ---: | ---: |",
        "| asapnet | 500 (250–1000) | 2000 (1000–4000) |",
        "| rival | 250 (125–500) | 1500 (750–3000) |",
        "| model | parameters, M | 256×256 | 512×1024 |",
        "| --- | ---: | ---: | ---: |",
        "| asapnet | 83.2–83.5 | 24.4 (23.4 + 1.03) | 55.4 (47 + 8.39) |",
        "| rival | 54.4 | 6.6 | 52.8 |",
        "| model | pictures/s |",
        "| --- | ---: |",
        "| asapnet | 0.512 |",
        "| rival | 12 |",
    ]
