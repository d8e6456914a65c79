"""Every experiment learns: two steps of its own losses and players, narrowed, on made-up data in its set's layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import SIDE, write_made_up

from pixelwise.checkpoint import read_manifest
from pixelwise.discriminators import DiscriminatorConfig
from pixelwise.losses.objective import Objective
from pixelwise.memorise import memorise
from pixelwise.models import family_of
from pixelwise.training import TrainConfig, train
from pixelwise.training.experiment import read_experiment

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))
TASKS = ("dncnn_bsd_color_motion", "asapnet_nyu_depth232", "asapnet_maps256", "pix2pix_camvid_labels240")
"""What no test of a family trains: each also on the real data, where they lie beside the checkout."""

SMALL: Mapping[str, Mapping[str, Any]] = {
    "asapnet": {"cell": 8, "width": 4, "max_width": 8, "num_blocks": 1, "mlp_width": 4},
    "spade": {"width": 2, "num_upsamplings": 5},
    "clade": {"width": 2, "num_upsamplings": 5},
    "dagan": {"width": 2, "num_upsamplings": 5},
    "ccfpse": {"width": 2, "num_upsamplings": 5, "size": (SIDE, SIDE)},
    "sean": {"width": 2, "num_upsamplings": 5, "style_length": 4, "hidden": 4, "encoder_width": 2},
    "groupdnet": {
        "widths": (24, 24, 24, 24, 12, 12, 12, 12), "groups": (0, 0, 4, 4, 2, 2, 1), "encoder_width": 2,
        "size": (2 * SIDE, SIDE),
    },
    "pix2pix": {"width": 2, "num_downsamplings": 6},
    "pix2pixhd": {"width": 2, "num_downsamplings": 2, "num_blocks": 1, "num_enhancer_blocks": 1, "encoder_width": 2},
    "msgunet": {"width": 2, "num_scales": 2, "num_downsamplings": 3},
    "pan": {"width": 2, "num_downsamplings": 3},
    "crn": {"widths": (4, 4, 4)},
    "sims": {"width": 4, "max_width": 8, "num_reductions": 3, "ordering_width": 2},
    "dncnn": {"width": 4, "depth": 4},
}  # fmt: skip
"""Of each family what makes its networks small."""


def narrow(discriminator: DiscriminatorConfig | None) -> DiscriminatorConfig | None:
    if discriminator is None:
        return None
    sizes = {name: value for name, value in (("width", 4), ("max_width", 8)) if hasattr(discriminator, name)}
    return replace(discriminator, **sizes)


def without_vgg19(objective: Objective) -> Objective:
    """Where VGG19 alone compares pictures, and its weights are not here, the pictures themselves are compared."""
    alone = objective.perceptual and not (objective.adversarial or objective.l1 or objective.l2)
    return replace(objective, perceptual=0.0, l1=1.0) if alone else objective


def small(config: TrainConfig, out: Path, **changes: Any) -> TrainConfig:
    """Two steps on pictures of 64 x 64, from the beginning and without VGG19."""
    family = family_of(config.model)
    model = replace(config.model, **SMALL.get(family.name, {}))
    judge = family.discriminator_for(model) if callable(family.discriminator) else config.discriminator
    fields = {
        "model": model,
        "objective": without_vgg19(config.objective or family.objective),
        "discriminator": narrow(judge or family.discriminator_for(model)),
        "out": str(out), "scale": None, "crop": config.crop and (48, 48), "batch_size": 2, "steps": 2,
        "constant_steps": 1, "frozen_steps": 0, "start_from": "", "vgg19": "", "num_workers": 0, "device": "cpu",
    }  # fmt: skip
    return replace(config, **{**fields, **changes})


def assert_learns(config: TrainConfig) -> None:
    manifest = read_manifest(train(config))
    assert manifest.step == 2
    log = [json.loads(line) for line in (Path(config.out) / "log.jsonl").read_text().splitlines()]
    assert len(log) == 2
    assert all(np.isfinite(value) for record in log for value in record.values())


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_two_steps(path: Path, tmp_path: Path) -> None:
    config = read_experiment(path)
    data = write_made_up(config.dataset, tmp_path / "data")
    bank = tmp_path / "bank.safetensors"
    if config.bank:
        memorise(config.dataset, data, "train", bank)
    assert_learns(small(config, tmp_path / "out", data=str(data), bank=str(bank) if config.bank else ""))


CONTINUING = [path for path in EXPERIMENTS if read_experiment(path).start_from]


@pytest.mark.parametrize("path", CONTINUING, ids=lambda path: path.stem)
def test_networks_begin_as_or_grow_from_what_another_experiment_makes(path: Path) -> None:
    second = read_experiment(path)
    (first,) = (
        made for made in map(read_experiment, EXPERIMENTS) if f"{made.out}/last.safetensors" == second.start_from
    )
    assert second.dataset == first.dataset
    if second.model != first.model:
        growth = family_of(second.model).growth
        assert growth is not None
        assert growth.coarser(second.model) == first.model


@pytest.mark.skipif(not (ROOT / "../shared/data").is_dir(), reason="the shared data sets are not here")
@pytest.mark.parametrize("name", TASKS)
def test_two_steps_on_real_data(name: str, tmp_path: Path) -> None:
    config = read_experiment(ROOT / "experiments" / f"{name}.py")
    scale = config.scale and (SIDE, SIDE)
    assert_learns(small(config, tmp_path, data=str(ROOT / config.data), scale=scale, validation_samples=2))
