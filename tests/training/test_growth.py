"""From coarse to fine: pix2pixHD's global generator first, then the enhancer around it, then both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pixelwise.checkpoint import load_checkpoint
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.losses.objective import Objective
from pixelwise.models.pix2pixhd import Pix2PixHd, Pix2PixHdConfig
from pixelwise.training import TrainConfig, train
from pixelwise.training.batches import seed_globally
from pixelwise.training.processes import Processes
from pixelwise.training.run import Run, prepare
from pixelwise.training.schedule import hold_still

COARSE = Pix2PixHdConfig(
    width=4,
    num_downsamplings=2,
    num_blocks=1,
    num_enhancer_blocks=1,
    instance_edges=True,
    num_features=2,
    encoder_width=2,
    encoder_num_downsamplings=1,
    num_styles=2,
)
FINE = replace(COARSE, width=2, num_enhancers=1)
FROZEN_STEPS = 2
ADDED = ("trunks.1.", "to_picture.")


@pytest.fixture(scope="module")
def coarse(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(replace(run_of(COARSE, sets, tmp_path_factory.mktemp("coarse")), scale=(32, 32), steps=1))


@pytest.fixture
def config(sets: Path, tmp_path: Path, coarse: Path) -> TrainConfig:
    config = run_of(FINE, sets, tmp_path / "fine")
    return replace(config, start_from=str(coarse), frozen_steps=FROZEN_STEPS, steps=4)


def run_of(model: Pix2PixHdConfig, sets: Path, out: Path) -> TrainConfig:
    return TrainConfig(
        model=model,
        objective=Objective("least_squares", perceptual=0.0),
        discriminator=PatchDiscriminatorConfig(num_layers=2, width=4, max_width=8),
        dataset="paired_folder",
        data=str(sets / "labels"),
        out=str(out),
        batch_size=1,
        constant_steps=99,
        save_every=1,
        validate_every=1,
        device="cpu",
    )


def start(config: TrainConfig) -> Run:
    return prepare(config, Processes(0, 1, torch.device("cpu")))


def weights_after(config: TrainConfig) -> dict[str, Tensor]:
    train(config)
    state: dict[str, Any] = torch.load(Path(config.out) / "state.pt", weights_only=True)
    network: dict[str, Tensor] = state["players"]["generator"]["network"]
    return network


def test_the_fine_generator_begins_with_the_coarse_one_inside(config: TrainConfig, coarse: Path):
    run = start(config)
    given = load_checkpoint(coarse).generator
    assert isinstance(given, Pix2PixHd)
    for network in (run.game.generator.network, run.average.averaged):
        found = network.state_dict()
        for name, weight in given.state_dict().items():
            assert torch.equal(found[name], weight) != name.startswith(("to_picture.", "styles.")), name


def test_first_the_enhancer_learns_alone_then_everything(config: TrainConfig):
    before = dict(start(config).game.generator.network.named_parameters())
    between = weights_after(replace(config, steps=FROZEN_STEPS))
    for name, weight in before.items():
        assert torch.equal(between[name], weight) != name.startswith(ADDED), name
    after = weights_after(config)
    assert not [name for name in before if torch.equal(after[name], between[name])]


def test_weights_that_hold_still_need_no_gradients(config: TrainConfig):
    network = start(config).game.generator.network
    for step, expected in ((FROZEN_STEPS - 1, ADDED), (FROZEN_STEPS, ("",))):
        hold_still(network, config, step)
        for name, weight in network.named_parameters():
            assert weight.requires_grad == name.startswith(expected), (step, name)


@pytest.mark.parametrize("stops", [(1,), (2,), (3,), (1, 2, 3)])
def test_a_run_that_is_stopped_while_weights_hold_still_or_later_goes_on(config: TrainConfig, stops: tuple[int, ...]):
    whole = replace(config, out=f"{config.out}_whole")
    train(whole)
    for step in stops:
        train(replace(config, steps=step))
    train(config)
    for name in ("last.safetensors", "best.safetensors"):
        assert (Path(config.out) / name).read_bytes() == (Path(whole.out) / name).read_bytes()


def test_a_finished_run_keeps_the_styles_of_its_objects(config: TrainConfig):
    run, last = start(config), train(config)
    for path in (last, run.best_checkpoint):
        generator = load_checkpoint(path).generator
        assert isinstance(generator, Pix2PixHd)
        assert generator.styles is not None
        kept = generator.styles.centres.clone()
        assert kept.any(dim=2).all()
        seed_globally(config.seed)
        generator.learn_styles(sample.condition for sample in run.fixed_samples)
        torch.testing.assert_close(kept, generator.styles.centres)


def test_a_run_that_ends_while_it_looks_for_styles_has_saved_all_else_and_looks_again(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
):
    def ended(run: Run) -> bool:
        raise KeyboardInterrupt

    whole = replace(config, out=f"{config.out}_whole")
    train(whole)
    with monkeypatch.context() as patch:
        patch.setattr("pixelwise.training.loop.keep_styles", ended)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    generator = load_checkpoint(Path(config.out) / "last.safetensors").generator
    assert isinstance(generator, Pix2PixHd)
    assert generator.styles is not None
    assert not generator.styles.centres.any()
    state = torch.load(Path(config.out) / "state.pt", weights_only=True)
    assert state["progress"]["step"] == config.steps
    for _ in range(2):
        train(config)
        for name in ("last.safetensors", "best.safetensors"):
            assert (Path(config.out) / name).read_bytes() == (Path(whole.out) / name).read_bytes()
        monkeypatch.setattr("pixelwise.training.loop.keep_styles", lambda _: pytest.fail("has them already"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start_from": ""}, "frozen_steps is 2, but no weights are there to hold still"),
        ({"model": COARSE}, "frozen_steps is 2, but no weights are there to hold still"),
        ({"frozen_steps": -1}, "frozen_steps must be 0 or more, got -1"),
    ],
)
def test_what_cannot_hold_still_is_refused(config: TrainConfig, changes: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        replace(config, **changes)


def test_only_from_its_own_coarser_generator(config: TrainConfig):
    other = replace(config, model=replace(FINE, num_blocks=2))
    with pytest.raises(InputError, match=r"another configuration: width = 4 \(not 2\), num_blocks = 1 \(not 2\)"):
        train(other)
