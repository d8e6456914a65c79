from __future__ import annotations

import re
from pathlib import Path

import pytest

from pixelwise.errors import InputError
from pixelwise.training import TrainConfig
from pixelwise.training.experiment import read_experiment

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.py"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_project_s_own_experiments_can_be_read(path: Path) -> None:
    assert isinstance(read_experiment(path), TrainConfig)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nconfig = y\n", ", line 2: NameError: name 'y' is not defined"),
        ("config = (\n", ": SyntaxError: .*line 1"),
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
