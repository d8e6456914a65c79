"""Every family learns in the same loop, from its paper's losses and against its paper's discriminator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_sets import SIDE
from torch import Tensor

from pixelwise.checkpoint import read_manifest
from pixelwise.discriminators import DiscriminatorConfig
from pixelwise.discriminators.feature_pyramid import FeaturePyramidConfig
from pixelwise.discriminators.perceptual import PerceptualDiscriminatorConfig
from pixelwise.losses.perceptual import PerceptualLoss, Taps, Vgg19Features
from pixelwise.memorise import memorise
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.models.clade import CladeConfig
from pixelwise.models.crn import CrnConfig
from pixelwise.models.dagan import DaganConfig
from pixelwise.models.dncnn import DnCnnConfig
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.groupdnet import GroupDNetConfig
from pixelwise.models.msgunet import MsgUNetConfig
from pixelwise.models.pan import PanConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.models.sean import SeanConfig
from pixelwise.models.sims import SimsConfig
from pixelwise.models.spade import SpadeConfig
from pixelwise.training import TrainConfig, train
from pixelwise.training.processes import Processes
from pixelwise.training.run import prepare
from pixelwise.training.step import Game

TERMS = ("feature_matching", "perceptual_adversarial", "perceptual", "l1", "l2", "ordering")
# As deep as VGG19, so that the same layers are compared, but narrow.
NARROW_STAGES = ((4, 2), (4, 2), (4, 4), (4, 4), (4, 4))

# While no prediction is beyond the hinge's margin, what fake and real pictures ask of the last bias cancels out.
BALANCED = {f"discriminator.{bias}" for bias in (*(f"discriminator_{n}.model4.0.bias" for n in "01"), "realism.bias")}

SPADE = SpadeConfig(width=2, size=(SIDE, SIDE))
PIX2PIX_HD = Pix2PixHdConfig(width=2, num_downsamplings=2, num_blocks=1, num_enhancer_blocks=1)
MSG_U_NET = MsgUNetConfig(width=2, num_scales=2, num_downsamplings=4)
WITH_FEATURES = replace(
    PIX2PIX_HD, instance_edges=True, num_features=2, encoder_width=2, encoder_num_downsamplings=1, num_styles=3
)
FROM_LABELS: Mapping[str, GeneratorConfig] = {
    "asapnet": AsapNetConfig(cell=8, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2, instance_edges=True),
    "spade": replace(SPADE, instance_edges=True),
    "spade-style": replace(SPADE, style=True),
    "clade": CladeConfig(width=2, instance_edges=True),
    "clade-icpe": CladeConfig(width=2, offsets_modulate=True),
    "clade-style": CladeConfig(width=2, style=True, size=(SIDE, SIDE)),
    "dagan": DaganConfig(width=2, instance_edges=True),
    "ccfpse": CcfpseConfig(width=2, instance_edges=True, style=True, size=(SIDE, SIDE)),
    "sean": SeanConfig(width=2, style_length=4, hidden=4, encoder_width=2),
    "sean-clade": SeanConfig(width=2, style_length=4, encoder_width=2, class_modulation=True),
    "groupdnet": GroupDNetConfig(encoder_width=2, size=(2 * SIDE, SIDE), instance_edges=True),
    "groupdnet-clade": GroupDNetConfig(encoder_width=0, size=(SIDE, SIDE), class_modulation=True),
    "pix2pix": Pix2PixConfig(width=2, num_downsamplings=6, instance_edges=True),
    "pix2pixhd": replace(PIX2PIX_HD, num_enhancers=1, instance_edges=True),
    "pix2pixhd-features": WITH_FEATURES,
    "msgunet": replace(MSG_U_NET, instance_edges=True),
    "pan": PanConfig(width=2, num_downsamplings=3, instance_edges=True),
    "crn": CrnConfig(widths=(8, 8, 4), instance_edges=True),
    "crn-variants": CrnConfig(widths=(8, 8, 4), num_variants=3),
    "sims": SimsConfig(width=4, max_width=8, num_reductions=3, ordering_width=2),
}
FROM_PICTURES: Mapping[str, GeneratorConfig] = {
    "asapnet": AsapNetConfig(cell=8, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2),
    "spade": SPADE,
    "dagan": DaganConfig(width=2),
    "ccfpse": CcfpseConfig(width=2),
    "pix2pix": Pix2PixConfig(width=2, num_downsamplings=6, norm="instance"),
    "pix2pix-residual": Pix2PixConfig(width=2, num_downsamplings=2, num_blocks=1),
    "pix2pixhd": PIX2PIX_HD,
    "msgunet": MSG_U_NET,
    "pan": PanConfig(width=2, num_downsamplings=3),
    "crn-variants": CrnConfig(widths=(8, 8, 4), num_variants=3),
    "dncnn": DnCnnConfig(width=4, depth=4),
}


def narrow_perceptual_loss(path: Path, download: bool, taps: Taps) -> PerceptualLoss:
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pixelwise.losses.perceptual.VGG19_STAGES", NARROW_STAGES)
        return PerceptualLoss(Vgg19Features(taps))


@pytest.fixture(autouse=True)
def _random_vgg19(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.training.run.load_perceptual_loss", narrow_perceptual_loss)


def run_of(model: GeneratorConfig, data: Path, out: Path) -> TrainConfig:
    return TrainConfig(
        model=model,
        discriminator=narrow(family_of(model).discriminator_for(model)),
        dataset="paired_folder",
        data=str(data),
        out=str(out),
        bank="" if family_of(model).memory is None else str(bank_of(data, out)),
        batch_size=2,
        steps=2,
        ema_decay=0.0,
        vgg19="vgg19.pth",
        device="cpu",
    )


def bank_of(data: Path, out: Path) -> Path:
    memorise("paired_folder", data, "train", out / "bank.safetensors")
    return out / "bank.safetensors"


def narrow(discriminator: DiscriminatorConfig | None) -> DiscriminatorConfig | None:
    if discriminator is None:
        return None
    if isinstance(discriminator, FeaturePyramidConfig | PerceptualDiscriminatorConfig):
        return replace(discriminator, width=2)
    return replace(discriminator, width=4, max_width=8)


def assert_learns(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains, and looks at the weights of both players before and after."""
    run = prepare(config, Processes(0, 1, torch.device("cpu")))
    monkeypatch.setattr("pixelwise.training.loop.prepare", lambda *_: run)
    before = weights(run.game)
    train(config)
    after = weights(run.game)
    assert {name for name, weight in before.items() if torch.equal(weight, after[name])} <= BALANCED
    objective = family_of(config.model).objective
    log = [json.loads(line) for line in (Path(config.out) / "log.jsonl").read_text().splitlines()]
    adversaries = {"adversarial", "discriminator"} if objective.adversarial else set()
    assert {*adversaries, *(term for term in TERMS if getattr(objective, term))} <= set(log[0])
    assert all(np.isfinite(value) for record in log for value in record.values())
    assert read_manifest(run.last_checkpoint).spec.style == family_of(config.model).reads_style(config.model)


def weights(game: Game) -> dict[str, Tensor]:
    players = {"generator": game.generator}
    if game.discriminator is not None:
        players["discriminator"] = game.discriminator
    return {
        f"{name}.{part}": weight.detach().clone()
        for name, player in players.items()
        for part, weight in player.network.named_parameters()
    }


def test_no_family_is_left_out() -> None:
    assert {name.partition("-")[0] for name in (*FROM_LABELS, *FROM_PICTURES)} == set(FAMILIES)


@pytest.mark.parametrize("name", FROM_LABELS)
def test_two_steps_from_labels(name: str, sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_learns(run_of(FROM_LABELS[name], sets / "labels", tmp_path), monkeypatch)


@pytest.mark.parametrize("name", FROM_PICTURES)
def test_two_steps_from_pictures(name: str, sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_learns(run_of(FROM_PICTURES[name], sets / "pictures", tmp_path), monkeypatch)
