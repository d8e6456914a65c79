"""One rule for what models are called, wherever it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelwise.model_name import model_name


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("facades", "facades"),
        ("mine.v2.safetensors", "mine.v2"),
        ("runs/wide/last.safetensors", "wide"),
        ("runs/wide/best.safetensors", "wide-best"),
        ("report/wide/pictures", "wide"),
        ("theirs.v2", "theirs.v2"),
        ("theirs.v2/best", "best"),
        ("report/wide/..", "report"),
    ],
)
def test_models_are_called_as_people_would(
    place: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("report/wide/pictures", "theirs.v2/best", "runs/wide"):
        Path(folder).mkdir(parents=True)
    assert model_name(place) == name


def test_weights_of_the_present_folder_are_called_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wide").mkdir()
    monkeypatch.chdir(tmp_path / "wide")
    assert model_name("last.safetensors") == "wide"
