import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny_run import tiny_config, write_data
from tiny_sets import write_sets

from pixelwise.training import TrainConfig


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture
def config(data: Path, tmp_path: Path) -> TrainConfig:
    return tiny_config(data, tmp_path / "run")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _no_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its import takes longer than a run.
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
