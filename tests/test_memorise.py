"""A training set becomes a memory bank, and a model finds its own."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pixelwise
from pixelwise import images
from pixelwise.checkpoint import Checkpoint, give_bank, load_checkpoint, manifest_for, read_manifest, save_checkpoint
from pixelwise.cli import main
from pixelwise.condition import ConditionSpec
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.memorise import memorise
from pixelwise.models.sims import Sims, SimsConfig
from pixelwise.models.sims_bank import Bank

LABELS = LabelSpec(("a", "b"), ids=(3, 7))
CONFIG = SimsConfig(num_labels=2, out_channels=3, width=4, max_width=4, num_reductions=1, ordering_width=2)
IDS = np.full((24, 32), 3, np.uint8)
IDS[8:16, 8:20] = 7


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder, random = tmp_path / "data", np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 1)):
        for index in range(count):
            images.write(folder / split / "label" / f"{index}.png", np.roll(IDS, index, axis=1))
            images.write(folder / split / "image" / f"{index}.png", random.integers(0, 256, (24, 32, 3), np.uint8))
    (folder / "spec.json").write_text(json.dumps(FolderSpec(labels=LABELS).to_json()))
    return folder


@pytest.fixture
def model(data: Path, tmp_path: Path) -> Path:
    """A checkpoint with its bank beside it."""
    memorise("paired_folder", data, "train", tmp_path / "bank.safetensors", "terms")
    torch.manual_seed(0)
    reference = Bank(tmp_path / "bank.safetensors").reference()
    manifest = replace(manifest_for(CONFIG, ConditionSpec(LABELS)), bank=reference)
    save_checkpoint(tmp_path / "sims.safetensors", Sims(CONFIG), manifest)
    return tmp_path / "sims.safetensors"


def test_a_split_becomes_a_bank(data: Path, tmp_path: Path) -> None:
    shown: list[tuple[int, int]] = []
    out = tmp_path / "new" / "bank.safetensors"
    count = memorise("paired_folder", data, "train", out, progress=lambda *numbers: shown.append(numbers))
    bank = Bank(out)
    assert count == len(bank) == 6
    assert shown == [(1, 3), (2, 3), (3, 3)]
    assert bank.header.labels == LABELS
    assert bank.header.names == ("0", "1", "2")
    assert bank.header.source.endswith("of 3 samples of paired_folder, train")
    np.testing.assert_array_equal(bank.look(4)[0], images.read(data / "train" / "image" / "1.png")[8:16, 9:21])


def test_what_cannot_be_memorised_is_named(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "bank.safetensors"
    with pytest.raises(InputError, match="no data set 'gone'"):
        memorise("gone", data, "train", out)
    out.write_text("precious")
    with pytest.raises(InputError, match=r"bank\.safetensors is there already"):
        memorise("paired_folder", data, "train", out)
    assert out.read_text() == "precious"
    told: list[tuple[int, int]] = []
    with pytest.raises(InputError, match=r"lost\.safetensors: cannot be written: .*bank\.safetensors is no folder"):
        memorise("paired_folder", data, "train", out / "lost.safetensors", progress=lambda *done: told.append(done))
    assert not told
    (data / "spec.json").write_text(json.dumps(FolderSpec(("label",), "image").to_json() | {"condition": ["photo"]}))
    (data / "train" / "label").rename(data / "train" / "photo")
    with pytest.raises(InputError, match="made of label maps and 8-bit pictures"):
        memorise("paired_folder", data, "train", tmp_path / "new.safetensors")


def test_a_picture_that_cannot_be_read_leaves_no_bank(data: Path, tmp_path: Path) -> None:
    (data / "train" / "image" / "2.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"2\.png"):
        memorise("paired_folder", data, "train", tmp_path / "bank.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["pixelwise", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_the_commands(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ("memorise", "--dataset", "paired_folder", "--data", data, "--out", tmp_path / "bank.safetensors")
    assert run(monkeypatch, *made) == 1
    assert "is there already, and may be replaced with --overwrite only" in capsys.readouterr().err
    assert not run(monkeypatch, *made, "--licence", "terms", "--overwrite")
    assert "bank.safetensors: 6 segments" in capsys.readouterr().out
    bank = (tmp_path / "bank.safetensors").rename(tmp_path / "moved.safetensors")
    translated = ("translate", data / "val" / "label" / "0.png", "--model", model, "--out", tmp_path / "out")
    assert run(monkeypatch, *translated) == 1
    assert "expected the model's memory bank" in capsys.readouterr().err
    assert not run(monkeypatch, *translated, "--bank", bank)
    assert images.read(tmp_path / "out" / "0.png").shape == (24, 32, 3)


def test_a_model_finds_its_bank_beside_it_or_where_it_is_told(model: Path, tmp_path: Path) -> None:
    reference = read_manifest(model).bank
    assert reference is not None
    assert (reference.file, reference.num_segments, reference.licence) == ("bank.safetensors", 6, "terms")
    picture = np.asarray(pixelwise.load(model)(Image.fromarray(IDS)))
    bank = (tmp_path / "bank.safetensors").rename(tmp_path / "moved.safetensors")
    with pytest.raises(InputError, match=r"bank\.safetensors: no such file; expected the model's memory bank"):
        pixelwise.load(model)
    np.testing.assert_array_equal(np.asarray(pixelwise.load(model, bank=bank)(Image.fromarray(IDS))), picture)
    bank.write_bytes(bank.read_bytes()[:-1])
    with pytest.raises(InputError, match="is not the memory bank that the model was made with"):
        pixelwise.load(model, bank=bank)


def test_models_without_a_bank_take_none(model: Path) -> None:
    checkpoint = load_checkpoint(model)
    plain = Checkpoint(checkpoint.generator, replace(checkpoint.manifest, bank=None))
    give_bank(plain, model.parent)
    with pytest.raises(InputError, match="this sims model draws from no memory bank"):
        give_bank(plain, model.parent, model)
    assert "bank" not in plain.manifest.to_json()
