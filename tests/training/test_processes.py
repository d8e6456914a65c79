from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from tiny_run import WHITE, tiny_config
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.training import train
from pixelwise.training.processes import Processes, join_processes

HERE = Path(__file__).parent


def torchrun(*arguments: object, seconds: float = 240.0) -> subprocess.CompletedProcess[str]:
    """Runs a script in two processes. Raises TimeoutExpired when they hang."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        *map(str, arguments),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds)


@pytest.fixture(scope="module")
def shared(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which two processes have done both kinds of ``shared_run.py``."""
    out = tmp_path_factory.mktemp("shared")
    said = ""
    for kind in ("sound", "poisoned"):
        done = torchrun(HERE / "shared_run.py", kind, data, out)
        assert done.returncode == 0, done.stderr
        said += done.stdout
    (out / "said.txt").write_text(said)
    return out


def tensors_of_state(path: Path) -> dict[str, Tensor]:
    players = torch.load(path, weights_only=True)["players"]
    return {f"{name}.{key}": tensor for name, player in players.items() for key, tensor in player["network"].items()}


def test_two_processes_make_the_run_of_one(shared: Path, data: Path, tmp_path: Path):
    alone = train(tiny_config(data, tmp_path, batch_size=4, steps=3)).parent
    torch.testing.assert_close(
        load_file(shared / "sound" / "last.safetensors"), load_file(alone / "last.safetensors"), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(
        tensors_of_state(shared / "sound" / "state.pt"), tensors_of_state(alone / "state.pt"), rtol=0, atol=1e-5
    )
    ours, theirs = (
        json.loads((folder / "log.jsonl").read_text().splitlines()[-1]) for folder in (shared / "sound", alone)
    )
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)


def test_one_process_speaks_and_writes(shared: Path):
    said = (shared / "said.txt").read_text()
    assert said.count("2 x cpu") == 2, "once for each run"
    assert said.count("validation psnr") == 1
    steps = [json.loads(line)["step"] for line in (shared / "sound" / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 3]


def test_all_stop_at_nan_and_each_names_its_samples(shared: Path):
    contents = [json.loads((shared / "poisoned" / f"diverged_{rank}.json").read_text()) for rank in (0, 1)]
    assert contents[0]["step"] == contents[1]["step"]
    assert contents[0]["why"] == contents[1]["why"]
    names = [name for content in contents for name in content["names"]]
    assert WHITE in names
    assert len(names) == 2
    assert (shared / "said.txt").read_text().count("became NaN or infinite; the names of the batch are in ") == 2


@pytest.mark.slow
def test_one_process_that_fails_ends_the_others(tmp_path: Path):
    script = tmp_path / "fails.py"
    script.write_text(
        "from pixelwise.training.processes import join_processes\n"
        "with join_processes('cpu') as processes:\n"
        "    if processes.is_first:\n"
        "        raise ValueError('cannot go on')\n"
    )
    done = torchrun(script)
    assert done.returncode != 0
    assert "cannot go on" in done.stderr


def test_alone_nothing_is_averaged_or_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join_processes("cpu") as processes:
        assert processes == Processes(0, 1, torch.device("cpu"))
        layer = nn.Linear(1, 1)
        layer.weight.grad = torch.ones(1, 1)
        processes.average_gradients(layer)
        assert layer.weight.grad.item() == 1
        with processes.first_one_first():
            processes.wait()


def test_devices_that_are_not_there(monkeypatch: pytest.MonkeyPatch):
    for name in ("gpu", "cuda:99"):
        with pytest.raises(InputError, match=f"device {name}: not available here"):
            join_processes(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert join_processes("auto").device == torch.device("cpu")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_of_gpus_each_process_takes_its_own(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.setattr("torch.distributed.init_process_group", lambda *_, **__: None)
    monkeypatch.setattr("torch.empty", lambda *_, device: SimpleNamespace(device=torch.device(device)))
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert join_processes(name).device == torch.device("cuda:3")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match="process 3 of this machine has no GPU of its own: there are 2"):
        join_processes(name)
    with pytest.raises(InputError, match="device cuda:1: is one GPU for 4 processes; give cuda"):
        join_processes("cuda:1")
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert join_processes("cuda:1").device == torch.device("cuda:1")


def test_shares_are_even():
    assert Processes(0, 4, torch.device("cpu")).share(12) == 3
    with pytest.raises(InputError, match="a batch of 6 cannot be dealt evenly to 4 processes"):
        Processes(0, 4, torch.device("cpu")).share(6)


def test_processes_wait_for_as_long_as_the_first_one_works_alone(monkeypatch: pytest.MonkeyPatch):
    given: dict[str, object] = {}
    monkeypatch.setattr("torch.distributed.init_process_group", lambda backend, **options: given.update(options))
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert join_processes("cpu").count == 2
    assert given["timeout"] >= timedelta(days=1)
