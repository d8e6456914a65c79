from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_run import MODEL, WITHOUT_ADVERSARY

from pixelwise.data.augment import Augment
from pixelwise.discriminators.feature_pyramid import FeaturePyramidConfig
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.models.spade import SpadeConfig
from pixelwise.training import TrainConfig, train
from pixelwise.training.processes import Processes
from pixelwise.training.run import Run, prepare
from pixelwise.training.state import Progress, load_state, save_state
from pixelwise.training.validation import FixedSamples

ALONE = Processes(0, 1, torch.device("cpu"))
PROGRESS = Progress(step=7, scores={"ssim": 0.25}, best=0.5)


@pytest.fixture
def run(config: TrainConfig) -> Run:
    return prepare(config, ALONE)


@pytest.fixture
def path(run: Run) -> Path:
    save(run)
    return run.state_file


def save(run: Run, progress: Progress = PROGRESS) -> None:
    save_state(run, progress)


def load(run: Run) -> Progress:
    progress, changes = load_state(run)
    assert not changes
    return progress


def weights(run: Run) -> list[torch.Tensor]:
    judge = run.game.discriminator
    networks = (run.game.generator.network, run.average.averaged, *([] if judge is None else [judge.network]))
    return [tensor for network in networks for tensor in network.state_dict().values()]


def test_a_run_without_a_state_starts_at_the_beginning(run: Run):
    assert load(run) == Progress(step=0, scores={}, best=float("-inf"))


def test_weights_and_progress_come_back(run: Run, path: Path):
    before = [tensor.clone() for tensor in weights(run)]
    for tensor in weights(run):
        tensor.zero_()
    assert load(run) == PROGRESS
    assert all(map(torch.equal, weights(run), before))


def test_scores_at_another_size_do_not_compare(run: Run, path: Path):
    for changes in ({"crop": (32, 32)}, {"scale": (24, 24)}, {"validation_samples": 1}):
        progress, told = load_state(replace(run, config=replace(run.config, **changes)))
        assert progress == replace(PROGRESS, best=float("-inf"))
        assert [text.split(" was ")[0] for text in told] == list(changes)


def test_scores_on_other_samples_do_not_compare(run: Run, path: Path):
    others = FixedSamples(run.validation_samples.samples, Augment(), limit=1)
    progress, changes = load_state(replace(run, validation_samples=others))
    assert progress == replace(PROGRESS, best=float("-inf"))
    assert not changes


def test_what_is_set_otherwise_is_told(run: Run, path: Path):
    _, changes = load_state(replace(run, config=replace(run.config, batch_size=1, steps=9)))
    assert changes == (f"batch_size was {run.config.batch_size}, is now 1", f"steps was {run.config.steps}, is now 9")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("model", SpadeConfig(width=2), "family was asapnet, is now spade; .*"),
        (
            "discriminator",
            FeaturePyramidConfig(width=4),
            "discriminator_type was PatchDiscriminatorConfig, is now FeaturePyramidConfig; .*",
        ),
        ("model", replace(MODEL, mlp_depth=4), r"model\.mlp_depth was \d+, is now 4"),
        ("model", replace(MODEL, bilinear=True), r"model\.bilinear was False, is now True"),
        ("objective", WITHOUT_ADVERSARY, r"objective\.adversarial was hinge, is now None; .*"),
        (
            "discriminator",
            PatchDiscriminatorConfig(num_layers=2, width=4, max_width=16),
            r"discriminator\.max_width was 8, is now 16",
        ),
        ("betas", (0.5, 0.9), r"betas was \[0.0, 0.9\], is now \[0.5, 0.9\]"),
        ("ema_decay", 0.9, r"ema_decay was 0.\d+, is now 0.9"),
    ],
)
def test_another_run_is_not_gone_on_with(config: TrainConfig, path: Path, name: str, value: object, told: str):
    before = path.read_bytes()
    with pytest.raises(InputError, match=rf"state\.pt: is of another run: {told}; give another out"):
        train(replace(config, **{name: value}))
    assert path.read_bytes() == before


def test_a_state_from_before_a_field_was_new_is_gone_on_with(run: Run, path: Path):
    state = torch.load(path, weights_only=True)
    config = json.loads(state["config"])
    del state["validated_on"], state["progress"]["styles_of"], config["model"]["separable_blocks"]
    for name in ("frozen_steps", "validation_samples", "scale", "family", "discriminator_type"):
        del config[name]
    torch.save({**state, "config": json.dumps(config)}, path)
    # Styles that there were had been kept by then.
    assert load(run) == replace(PROGRESS, styles_of=PROGRESS.step)


def test_a_state_that_calls_its_precision_otherwise_is_gone_on_with(config: TrainConfig):
    run = prepare(replace(config, precision="bf16"), ALONE)
    save(run)
    state = torch.load(run.state_file, weights_only=True)
    before = json.loads(state["config"]) | {"precision": "bfloat16"}
    torch.save({**state, "config": json.dumps(before)}, run.state_file)
    assert load(run) == PROGRESS


def test_a_run_that_named_the_familys_discriminator_goes_on_without_its_name(config: TrainConfig):
    """As states did before configurations could leave it to the family."""
    named = prepare(replace(config, discriminator=PatchDiscriminatorConfig()), ALONE)
    save(named)
    assert load(prepare(replace(config, discriminator=None), ALONE)) == PROGRESS


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_state(run: Run, path: Path, part: float):
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match=r"state\.pt: not a training state that can be resumed"):
        load(run)


@pytest.mark.parametrize("content", [{}, {"config": "{}"}, [1], "text", {"config": "{"}])
def test_another_file_that_torch_saved(run: Run, path: Path, content: object):
    torch.save(content, path)
    with pytest.raises(InputError, match=r"state\.pt: not a training state that can be resumed"):
        load(run)


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return Path.touch, (Path("exploded"),)


def test_nothing_in_a_state_is_run(run: Run, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"config": Bomb()}, path)
    with pytest.raises(InputError, match=r"state\.pt: not a training state"):
        load(run)
    assert not Path("exploded").exists()


@pytest.mark.parametrize("room", [0, 1000, 100_000])
def test_on_a_full_disk_the_old_state_stays(
    run: Run, path: Path, full_disk: Callable[[int], AbstractContextManager[None]], room: int
):
    before = path.read_bytes()
    assert len(before) > room
    with full_disk(room), pytest.raises(InputError, match=r"state\.pt: cannot be written \(.*too large"):
        save(run, Progress(step=9))
    assert path.read_bytes() == before
    assert load(run) == PROGRESS
    assert [file.name for file in path.parent.iterdir()] == [path.name]
