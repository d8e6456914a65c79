from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made_up import write_made_up

from pixelwise.data import DATASETS
from pixelwise.errors import InputError
from pixelwise.images import num_outputs
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.family import config_for
from pixelwise.training.experiment import read_experiment

FOLDER = Path(__file__).parents[2] / "experiments"
EXPERIMENTS = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_project_s_own_experiments_can_be_read_and_suit_their_data(path: Path, tmp_path: Path) -> None:
    config = read_experiment(path)
    samples = DATASETS[config.dataset](write_made_up(config.dataset, tmp_path), "train")
    with torch.device("meta"):
        model = config_for(config.model, samples.spec, num_outputs(samples.target))
        assert any(True for _ in family_of(model).generator(model).parameters())


def test_every_family_has_an_experiment() -> None:
    assert {family_of(read_experiment(path).model).name for path in EXPERIMENTS} == set(FAMILIES)


def test_what_is_compared_differs_in_the_model_alone() -> None:
    """And in what is tuned to it."""
    compared = [read_experiment(path) for path in EXPERIMENTS if path.stem.startswith("compare_")]
    first = compared[0]
    for config in compared[1:]:
        assert replace(config.objective, field_decay=0.0) == replace(first.objective, field_decay=0.0)
        own = {name: getattr(config, name) for name in ("model", "objective", "out", "learning_rate")}
        assert config == replace(first, **own)
    assert len({family_of(config.model).name for config in compared}) == len(compared) == 4


def test_a_coarse_experiment_is_what_the_fine_one_grows_from() -> None:
    fine = read_experiment(FOLDER / "pix2pixhd_facades256.py")
    coarse = read_experiment(FOLDER / "pix2pixhd_facades128.py")
    assert fine.start_from == f"{coarse.out}/last.safetensors"
    assert family_of(fine.model).coarser(fine.model) == coarse.model
    assert fine.scale == tuple(2 * side for side in coarse.scale)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nconfig = y\n", ", line 2: NameError: name 'y' is not defined"),
        ("config = (\n", ": SyntaxError: .*line 1"),
        ("import sys\nsys.exit(3)\n", ", line 2: SystemExit: 3"),
        ("x = 1\n", ": binds no `config` that is a TrainConfig, but NoneType"),
        ("config = {'steps': 1}\n", ": binds no `config` that is a TrainConfig, but dict"),
        (
            "from pixelwise.training import TrainConfig\nconfig = TrainConfig(None, 'facades', '', '')\n",
            ", line 2: InputError: NoneType is no family's configuration",
        ),
    ],
)
def test_what_is_wrong_with_an_experiment_is_told_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}{message}"):
        read_experiment(path)
    with pytest.raises(InputError, match=r"nowhere\.py: no such experiment file"):
        read_experiment(tmp_path / "nowhere.py")
