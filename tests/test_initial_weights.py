"""Networks that are built for weights from a file draw none, and are otherwise the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_model import TINY_FAMILIES
from torch import nn

from pixelwise.checkpoint import build
from pixelwise.initial_weights import NothingDrawn


def test_only_what_is_drawn_is_left_out() -> None:
    def layers() -> nn.Module:
        network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(4, 5))
        nn.init.xavier_normal_(network[0].weight, gain=0.5)
        nn.init.constant_(network[1].weight, 2)
        return network

    with NothingDrawn():
        found = layers()
    expected = layers()
    assert str(found) == str(expected)
    for before, after in zip(found[1].state_dict().values(), expected[1].state_dict().values(), strict=True):
        assert torch.equal(before, after)
    assert not torch.equal(nn.Linear(4, 5).weight, nn.Linear(4, 5).weight), "afterwards weights are drawn"


@pytest.mark.parametrize("name", TINY_FAMILIES)
def test_every_family_leaves_the_random_numbers_as_they_are(name: str) -> None:
    state = torch.random.get_rng_state()
    with NothingDrawn():
        found = build(TINY_FAMILIES[name])
    assert torch.equal(torch.random.get_rng_state(), state)
    expected = build(TINY_FAMILIES[name])
    assert [(key, value.shape) for key, value in found.state_dict().items()] == [
        (key, value.shape) for key, value in expected.state_dict().items()
    ]
    kept = dict(found.named_buffers())
    for key, value in expected.named_buffers():
        if key not in expected.state_dict():
            torch.testing.assert_close(kept[key], value, msg=f"{key} is not read from a file")


def test_to_learn_their_shapes_does_not_import_torchs_compiler() -> None:
    lines = """
import sys, torch
from tiny_model import TINY_FAMILIES
from pixelwise.checkpoint import build
from pixelwise.initial_weights import NothingDrawn
for name, config in TINY_FAMILIES.items():
    with NothingDrawn(), torch.device("meta"):
        build(config)
    if "torch._dynamo" in sys.modules:
        sys.exit(name)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
