"""A model that was trained elsewhere finds styles to draw from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from recorded import RECORDED_CONFIGS, recorded

import pixelwise
from pixelwise import images
from pixelwise.adopt import adopt
from pixelwise.checkpoint import load_checkpoint, manifest_for, read_manifest, save_checkpoint
from pixelwise.condition import ConditionSpec
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.learn_styles import learn_styles
from pixelwise.models.pix2pixhd import Pix2PixHd
from pixelwise.models.spade import Spade, SpadeConfig

LABELS = LabelSpec(("a", "b", "c", "d", "e"))
IDS = np.repeat(np.arange(4, dtype=np.uint8), 8)[None].repeat(24, axis=0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder, random = tmp_path / "data", np.random.default_rng(0)
    for index in range(3):
        instances = (np.arange(24) // (6 + index))[:, None].repeat(32, axis=1).astype(np.uint8)
        images.write(folder / "train" / "label" / f"{index}.png", IDS)
        images.write(folder / "train" / "instance" / f"{index}.png", instances)
        images.write(folder / "train" / "image" / f"{index}.png", random.integers(0, 256, (24, 32, 3), np.uint8))
    spec = FolderSpec(condition=("label", "instance"), target="image", labels=LABELS)
    (folder / "spec.json").write_text(json.dumps(spec.to_json()))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """As it was adopted: without styles."""
    config = RECORDED_CONFIGS["pix2pixhd_features"]
    generator = adopt("pix2pixhd", recorded("pix2pixhd_features")[1], config)
    spec = ConditionSpec(LABELS, instances=True, style=True)
    save_checkpoint(tmp_path / "adopted.safetensors", generator, manifest_for(config, spec, source="adopted"))
    return tmp_path / "adopted.safetensors"


def centres(path: Path) -> torch.Tensor:
    generator = load_checkpoint(path).generator
    assert isinstance(generator, Pix2PixHd)
    assert generator.styles is not None
    return generator.styles.centres


def test_an_adopted_model_draws_from_the_looks_of_a_training_set(model: Path, data: Path, tmp_path: Path) -> None:
    instances = np.zeros_like(IDS)
    before = pixelwise.load(model)
    assert not centres(model).any()
    out, shown = tmp_path / "styled.safetensors", []
    learn_styles(model, "paired_folder", data, "train", out, progress=lambda *numbers: shown.append(numbers))
    assert shown == [(1, 3), (2, 3), (3, 3)]
    assert centres(out)[:4].flatten(1).any(dim=1).all()
    assert not centres(out)[4].any()
    assert read_manifest(out).source.startswith("adopted; styles learned by pixelwise ")
    assert read_manifest(out).source.endswith(" of 3 samples of paired_folder, train")
    drawn = [pixelwise.load(out)(IDS, instances=instances, seed=seed) for seed in (0, 1)]
    assert (drawn[0] != drawn[1]).any()
    with pytest.raises(InputError):
        before(IDS, instances=instances, seed=1)


def test_what_is_learned_depends_on_the_seed_and_the_size_alone(model: Path, data: Path, tmp_path: Path) -> None:
    made = []
    for index, options in enumerate(({}, {}, {"seed": 1}, {"scale": 48})):
        out = tmp_path / f"{index}.safetensors"
        learn_styles(model, "paired_folder", data, "train", out, **options)
        made.append(centres(out))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert not torch.equal(made[0], made[3])


def test_what_cannot_be_written_is_refused_before_the_work(model: Path, data: Path, tmp_path: Path) -> None:
    shown: list[tuple[int, int]] = []
    for out, message in (
        (tmp_path / "styled.pt", r"styled\.pt: a checkpoint's name ends in \.safetensors"),
        (model / "styled.safetensors", r"styled\.safetensors: cannot be written: .*adopted\.safetensors is no folder"),
    ):
        with pytest.raises(InputError, match=message):
            learn_styles(model, "paired_folder", data, "train", out, progress=lambda *done: shown.append(done))
    assert not shown


def test_who_learns_none_is_refused(model: Path, data: Path, tmp_path: Path) -> None:
    out, spade = tmp_path / "out.safetensors", tmp_path / "spade.safetensors"
    config = SpadeConfig(num_labels=5, out_channels=3, width=1, style=True, size=(64, 64))
    save_checkpoint(spade, Spade(config), manifest_for(config, ConditionSpec(LABELS, style=True)))
    with pytest.raises(InputError, match=r"spade\.safetensors: this spade model keeps no styles to draw from"):
        learn_styles(spade, "paired_folder", data, "train", out)
    with pytest.raises(InputError, match="no data set 'gone'; there are "):
        learn_styles(model, "gone", data, "train", out)
    other = LabelSpec(("a", "b", "c", "d"))
    spec = FolderSpec(condition=("label", "instance"), target="image", labels=other)
    (data / "spec.json").write_text(json.dumps(spec.to_json()))
    with pytest.raises(InputError, match="configured for num_labels = 5, the data has 4"):
        learn_styles(model, "paired_folder", data, "train", out)
    assert not out.exists()


def test_the_command(
    pixelwise_command: Callable[..., int], model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learned = ("learn-styles", model, "--dataset", "paired_folder", "--data", data, "--out", model, "--scale", 30)
    assert pixelwise_command(*learned) == 1
    assert "is there already, and may be replaced with --overwrite only" in capsys.readouterr().err
    assert pixelwise_command(*learned, "--overwrite") == 0
    assert "wrote" in capsys.readouterr().out
    assert centres(model).any()
