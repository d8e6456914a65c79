"""Which engine renders a model's pictures, and why no faster one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, PHOTO_MODEL, save_tiny_model

from pixelwise.condition import ConditionSpec
from pixelwise.errors import InputError
from pixelwise.render.engine import Engine
from pixelwise.render.reference import render_reference
from pixelwise.translate import Translator, load
from pixelwise.translate.engine_choice import explain_choice


def translator(tmp_path: Path, spec: ConditionSpec = LABEL_MODEL) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", spec), "cpu")


@pytest.mark.parametrize("spec", [LABEL_MODEL, INSTANCE_MODEL, PHOTO_MODEL])
def test_faster_engines_are_named_with_what_they_lack(
    tmp_path: Path, only_engines: Callable[..., None], spec: ConditionSpec
) -> None:
    only_engines(
        quantum=Engine(render_reference, missing=lambda: "no qubits"),
        narrow=Engine(render_reference, unfit=lambda field, features: f"too wide: {field.mlp.widths[1]}"),
    )
    assert explain_choice(translator(tmp_path, spec)) == (
        "engine: reference, the fastest that can render this model here; "
        "not quantum: no qubits; not narrow: too wide: 4"
    )


def test_slower_engines_are_not_named(tmp_path: Path, only_engines: Callable[..., None]) -> None:
    only_engines(swift=Engine(render_reference))
    assert explain_choice(translator(tmp_path)) == "engine: swift, the fastest that can render this model here"


def test_an_engine_that_was_named_is_taken_or_refused(tmp_path: Path, only_engines: Callable[..., None]) -> None:
    only_engines(narrow=Engine(render_reference, unfit=lambda field, features: "too wide"))
    model = translator(tmp_path)
    assert explain_choice(model, "reference") == "engine: reference, as asked for"
    with pytest.raises(InputError, match="engine 'narrow' cannot be used: too wide"):
        explain_choice(model, "narrow")


def test_models_without_engines_are_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = translator(tmp_path)
    monkeypatch.setattr(model, "generator", torch.nn.Identity())
    assert explain_choice(model) == "engine: models of the family asapnet have none to choose from"
