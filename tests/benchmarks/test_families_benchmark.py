"""The benchmark of families runs, covers every family, and trains them. Times are not judged."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import typer

from pixelwise.bench.families import FamilySubject
from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.labels import LabelSpec
from pixelwise.models import FAMILIES
from pixelwise.models.asapnet import AsapNet, AsapNetConfig

TINY = AsapNetConfig(num_labels=3, out_channels=3, cell=8, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2)


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    torch.set_num_threads(1)
    module = importlib.import_module("families")
    # It would bind the other tests of this process too.
    monkeypatch.setattr(module, "keep_freed_memory", lambda: None)
    return module


def test_a_quick_run_writes_json_and_tables(
    families: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "subjects", lambda: [FamilySubject("asapnet, tiny", lambda size: TINY)])
    monkeypatch.setattr(families, "QUICK", replace(families.QUICK, memory=False))
    families.main(threads=1, repeats=3, quick=True, out=tmp_path)

    results = json.loads((tmp_path / "families.json").read_text())
    assert [row["size"] for row in results["rows"]] == [[64, 64], [64, 128], [128, 128]]
    (training,) = results["training"]
    assert training["images_per_second"] == pytest.approx(training["batch"] / training["seconds"]["median"])

    tables = (tmp_path / "families.md").read_text(encoding="utf-8")
    assert tables == families.markdown(results)
    assert tables.splitlines()[-1] == f"| asapnet, tiny | {training['images_per_second']:.3g} |"
    assert (
        "## Training, pictures per second\n\nGenerator and discriminator updated once each, 192×192, batch 1" in tables
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["families.json", "families.md"]


def test_one_model_may_be_measured_again(families: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = [FamilySubject(f"asapnet, {name}", lambda size: TINY) for name in ("first", "second", "third")]
    monkeypatch.setattr(families, "subjects", lambda: tiny)
    monkeypatch.setattr(families, "QUICK", replace(families.QUICK, sizes=((64, 64),), memory=False))
    options = {"repeats": 3, "quick": True, "out": tmp_path}
    with pytest.raises(typer.BadParameter, match=r"families\.json: no such file"):
        families.main(threads=1, only=["asapnet, second"], **options)
    families.main(threads=1, **options)
    before = json.loads((tmp_path / "families.json").read_text())
    families.main(threads=1, only=["asapnet, second"], **options)
    after = json.loads((tmp_path / "families.json").read_text())
    for rows in ("rows", "training"):
        assert [row["model"] for row in after[rows]] == [subject.name for subject in tiny]
        assert [new == old for new, old in zip(after[rows], before[rows], strict=True)] == [True, False, True]
    assert list(after["again"]) == ["asapnet, second"]
    assert f"Measured again: `asapnet, second`, {after['again']['asapnet, second']}." in families.markdown(after)
    with pytest.raises(typer.BadParameter, match="no model 'asapnet, fourth'; there are asapnet, first; asapnet"):
        families.main(threads=1, only=["asapnet, fourth"], **options)
    with pytest.raises(typer.BadParameter, match="was measured with another threads, 1; here it is 2"):
        families.main(threads=2, only=["asapnet, second"], **options)
    assert json.loads((tmp_path / "families.json").read_text()) == after


def test_every_family_and_what_ships_is_measured(
    families: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ConditionSpec(LabelSpec(("wall", "window", "door")))
    save_checkpoint(tmp_path / "facades.safetensors", AsapNet(TINY), manifest_for(TINY, spec))
    monkeypatch.setattr(families, "BUNDLED", tmp_path)

    subjects = {subject.name: subject for subject in families.subjects()}
    measured = [name for name in FAMILIES if FAMILIES[name].published]
    assert list(dict.fromkeys(name.partition(",")[0] for name in subjects)) == measured
    assert subjects["asapnet, facades (ships)"].configure((512, 512)) == TINY
    for name, subject in subjects.items():
        assert subject.configure((256, 256)).out_channels in (1, 3), name


def test_published_asapnets_have_sixteen_rows_of_cells(families: ModuleType) -> None:
    pictures = next(subject for subject in families.subjects() if subject.name == "asapnet, RGB")
    assert pictures.configure((512, 1024)) == AsapNetConfig(image_channels=3, out_channels=3, cell=32)


def test_training_updates_both_players(families: ModuleType) -> None:
    sample = families.random_sample(TINY, (64, 64), batch=2)
    game = families.game_on(TINY)
    before = [parameters_of(player) for player in (game.generator, game.discriminator)]
    families.update_both(game, sample)
    for player, old in zip((game.generator, game.discriminator), before, strict=True):
        assert not torch.equal(parameters_of(player), old)


def parameters_of(player: Any) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in player.network.parameters()])
