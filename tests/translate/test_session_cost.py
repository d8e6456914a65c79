"""Only what changed, and what is looked at, is computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from session_scene import CORNERS, INSIDE, Make, Scene
from tiny_model import LABEL_MODEL
from torch import Tensor

from pixelwise.lowres.parameters import ParameterLayer
from pixelwise.lowres.stream import FastStream
from pixelwise.render.window import Region
from pixelwise.translate.session import Session


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Counts cells whose parameters are made, and pixels that the stream reads."""
    made = {"cells": 0, "pixels": 0}
    parameters, features = ParameterLayer.__call__, FastStream.features

    def counted_parameters(self: ParameterLayer, *arguments: Any) -> Tensor:
        result = parameters(self, *arguments)
        made["cells"] += result.shape[2] * result.shape[3]
        return result

    def counted_features(self: FastStream, labels: Tensor | None, planes: Tensor | None) -> Tensor:
        assert labels is not None
        made["pixels"] += labels[0].numel()
        return features(self, labels, planes)

    monkeypatch.setattr(ParameterLayer, "__call__", counted_parameters)
    monkeypatch.setattr(FastStream, "features", counted_features)
    return made


def counted(work: dict[str, int], session: Session, region: Region | None = None) -> tuple[int, int]:
    """(cells, pixels) that it takes to render."""
    work.update(cells=0, pixels=0)
    session.render(region)
    return work["cells"], work["pixels"]


def test_panning_computes_cells_that_come_into_view(make: Make, work: dict[str, int]) -> None:
    session = Scene(make(norm="instance")).session
    assert counted(work, session, (8, 8, 8, 12)) == (2 * 3, 0)
    assert counted(work, session, (8, 8, 8, 12)) == (0, 0)
    assert counted(work, session, (8, 12, 8, 12)) == (2, 0)
    assert counted(work, session, (12, 9, 8, 12)) == (4, 0)
    assert counted(work, session) == (130 - 12, 0)


def test_an_edit_computes_what_is_near_it(make: Make, work: dict[str, int]) -> None:
    scene = Scene(make(LABEL_MODEL), size=(200, 200))
    counted(work, scene.session)
    scene.edit((100, 100, 4, 4), 1)
    # It reaches 9 pixels: cells 22 to 28. They see cells 19 to 31, and tiles of four begin with cell 16.
    assert counted(work, scene.session) == (7 * 7, (16 * 4) ** 2)
    assert counted(work, scene.session) == (0, 0)


def test_edits_are_computed_when_they_are_looked_at_and_together_where_they_meet(
    make: Make, work: dict[str, int]
) -> None:
    scene = Scene(make(LABEL_MODEL), size=(200, 200))
    scene.session.render()
    before = dict(work)
    for left in (100, 102, 104):
        scene.edit((100, left, 2, 2), 1)
    scene.edit((20, 20, 4, 4), 1)
    assert work == before
    scene.session.render((0, 0, 4, 4))
    assert work["pixels"] - before["pixels"] == 60 * 64 + 48**2
    scene.session.render()
    assert work["cells"] - before["cells"] == 6 * 7 + 7 * 7


def test_an_exact_edit_with_instance_norms_runs_the_stream_once(make: Make, work: dict[str, int]) -> None:
    scene = Scene(make(norm="instance"))
    counted(work, scene.session)
    scene.edit(INSIDE[0], 1)
    scene.edit(CORNERS[0], 1)
    whole_cells = 40 * 52  # of 4 pixels, for 37 x 51
    assert counted(work, scene.session, (0, 0, 8, 8)) == (4, whole_cells)
    assert counted(work, scene.session, (4, 0, 8, 8)) == (2, 0)


def test_a_label_that_appears_costs_the_cells_in_view(make: Make, work: dict[str, int]) -> None:
    scene = Scene(make(LABEL_MODEL), size=(200, 200))
    counted(work, scene.session)
    scene.edit((100, 100, 4, 4), 2)
    assert counted(work, scene.session, (0, 0, 8, 8))[0] == 4
    scene.edit((150, 150, 4, 4), 2)
    assert counted(work, scene.session, (0, 0, 8, 8))[0] == 0
