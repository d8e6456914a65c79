"""What `pixelwise doctor` says of a machine."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch

from pixelwise.doctor import Diagnosis, diagnose
from pixelwise.native import library
from pixelwise.render import ENGINES
from pixelwise.render.engine import Engine
from pixelwise.render.reference import render_reference
from pixelwise.version import VERSION

Command = Callable[..., int]


def test_it_names_engines_and_what_auto_means() -> None:
    found = diagnose()
    assert list(found.engines) == list(ENGINES)
    assert found.engines["reference"] is None
    for use in ("pictures on cpu", "training on cpu"):
        assert found.engines[found.auto[use]] is None
    assert found.threads == torch.get_num_threads()
    assert (found.kernels is None) == bool(found.instruction_sets)


def test_engines_that_cannot_run_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "dream", Engine(render_reference, missing=lambda: "nobody is asleep"))  # type: ignore[arg-type]
    found = diagnose()
    assert found.engines["dream"] == "nobody is asleep"
    assert "engine dream" in found.to_text()
    assert "nobody is asleep" in found.to_text()


def test_without_compiled_kernels_the_rest_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def library_not_built() -> None:
        raise OSError("no kernels here")

    monkeypatch.setattr(library, "_library", library_not_built)
    found = diagnose()
    assert (found.kernels, found.instruction_sets) == ("no kernels here", ())
    assert found.auto["pictures on cpu"] != "native"
    assert "no kernels here" in found.to_text()


def test_training_gets_an_engine_that_has_gradients(only_engines: Callable[..., None]) -> None:
    def needs_no_gradients(field: object, features: object) -> str | None:
        return "it has no gradients" if torch.is_grad_enabled() else None

    only_engines(quick=Engine(render_reference, unfit=needs_no_gradients))
    assert diagnose().auto == {"pictures on cpu": "quick", "training on cpu": "reference"}


def test_the_lines_are_few_and_aligned() -> None:
    machine = {"cpu": "Abacus 3", "cores": 2, "memory_gib": 7.5, "instructions": "AVX2", "gpus": ["Loom"]}
    versions = {"pixelwise": "1.0", "python": "3.11", "torch": "2.13"}
    engines = {"gpu": None, "native": "no compiler"}
    found = Diagnosis(machine, versions, 2, None, ("avx2", "portable"), engines, {"pictures on cpu": "gpu"})
    assert found.to_text().splitlines() == [
        "pixelwise              1.0, Python 3.11, torch 2.13",
        "processor              Abacus 3, 2 cores, 7.5 GiB; torch has 2 threads, AVX2",
        "GPU                    Loom",
        "kernels                compiled; of avx2, portable the first is used",
        "engine gpu             can run",
        "engine native          no compiler",
        "auto, pictures on cpu  gpu",
    ]


def test_the_command_prints_lines_or_json(pixelwise_command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert pixelwise_command("doctor") == 0
    assert capsys.readouterr().out.startswith(f"pixelwise              {VERSION}, Python ")
    assert pixelwise_command("doctor", "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(diagnose().to_json()))
