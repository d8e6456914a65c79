from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from tiny_run import MODEL, WITH_ADVERSARY, WITHOUT_ADVERSARY
from torch import Tensor

from pixelwise.checkpoint import load_checkpoint, save_checkpoint
from pixelwise.data import DATASETS
from pixelwise.data.bsd import SIGMA_25
from pixelwise.data.degraded_folder import DegradedFolder
from pixelwise.data.layout import Folder
from pixelwise.discriminators import DiscriminatorConfig
from pixelwise.discriminators.feature_pyramid import FeaturePyramidConfig
from pixelwise.discriminators.patch import PIX2PIX, PIX2PIX_HD, PatchDiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.losses.objective import Objective
from pixelwise.losses.perceptual import PerceptualLoss, Vgg19Features
from pixelwise.models.asapnet import AsapNet
from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.msgunet import MsgUNetConfig
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.models.spade import SpadeConfig
from pixelwise.published_weights import MissingWeightsError
from pixelwise.training import TrainConfig, train
from pixelwise.training.batches import batches
from pixelwise.training.processes import Processes
from pixelwise.training.run import Run, prepare

ALONE = Processes(0, 1, torch.device("cpu"))
SPADE_WITH_STYLE = SpadeConfig(width=2, style=True, size=(32, 32))
WITH_PERCEPTUAL = replace(WITH_ADVERSARY, perceptual=10.0)


def grey(root: Path, split: str) -> DegradedFolder:
    return DegradedFolder(Folder(root / split / "label"), ImageSpec(channels=1), SIGMA_25)


def weights(run: Run) -> dict[str, Tensor]:
    return run.game.generator.network.state_dict()


def test_channels_come_from_the_data(config: TrainConfig):
    run = prepare(config, ALONE)
    assert run.config.model == replace(MODEL, num_labels=5, out_channels=3)
    assert run.manifest.config["num_labels"] == 5
    assert run.game.discriminator.network.discriminator_0.model0[0].in_channels == 5 + 3


def test_the_configuration_says_which_discriminator(config: TrainConfig):
    discriminator = FeaturePyramidConfig(width=2)
    last = train(replace(config, discriminator=discriminator, crop=None, flip=False, scale=(40, 40), steps=2))
    assert last.is_file()
    network = prepare(replace(config, discriminator=discriminator), ALONE).game.discriminator.network
    assert network.channels == (5, 3)


@pytest.mark.parametrize(
    ("model", "discriminator"),
    [
        (MODEL, PatchDiscriminatorConfig()),
        (Pix2PixConfig(width=2), PIX2PIX),
        (Pix2PixHdConfig(width=2, num_blocks=1), PIX2PIX_HD),
        (CcfpseConfig(width=2), FeaturePyramidConfig()),
        (MsgUNetConfig(width=2, num_scales=3), replace(PIX2PIX, num_scales=3)),
    ],
)
def test_the_familys_own_discriminator_stands_in_for_none(
    config: TrainConfig, model: GeneratorConfig, discriminator: DiscriminatorConfig
):
    run = prepare(replace(config, model=model, discriminator=None), ALONE)
    assert run.config.discriminator == run.game.discriminator.network.config == discriminator


def test_a_style_is_the_target_in_training_and_in_validation(config: TrainConfig):
    run = prepare(replace(config, model=SPADE_WITH_STYLE), ALONE)
    batch = next(batches(run.samples, run.config, ALONE, first_step=0))
    assert batch.target.shape == (2, 3, 24, 24)
    for sample in (batch, *run.validation_samples, *run.sheet_samples, *run.fixed_samples):
        assert torch.equal(sample.condition.style, sample.target)
    assert run.manifest.spec.style
    plain = prepare(config, ALONE)
    assert next(iter(plain.validation_samples)).condition.style is None
    assert not plain.manifest.spec.style


def test_the_familys_own_objective_stands_in_for_none(config: TrainConfig):
    assert prepare(replace(config, objective=None), ALONE).game.objective.adversarial == "hinge"


def test_without_an_adversary_there_is_no_discriminator(config: TrainConfig):
    assert prepare(replace(config, objective=WITHOUT_ADVERSARY), ALONE).game.discriminator is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "facade"}, "no data set 'facade'; there are paired_folder, facades, "),
        ({"data": "gone"}, "gone"),
        ({"model": object()}, "object is no family's configuration"),
        ({"model": replace(MODEL, num_labels=7)}, "num_labels = 7, the data has 5"),
        ({"objective": Objective(adversarial=None, perceptual=0)}, "nothing left that compares output and target"),
        ({"model": SPADE_WITH_STYLE, "dataset": "grey"}, "a style picture of 3 channels.*; targets of grey have 1"),
        ({"out": __file__}, "test_run.py: cannot be the run's folder"),
        ({"start_from": "gone"}, "gone: neither a file nor a bundled model"),
    ],
)
def test_what_cannot_be_used_is_named(
    config: TrainConfig, changes: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(DATASETS, "grey", grey)
    with pytest.raises(InputError, match=message):
        train(replace(config, **changes))


def test_a_model_that_learns_from_noise_restores_and_says_which(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(DATASETS, "grey", grey)
    manifest = prepare(replace(config, dataset="grey"), ALONE).manifest
    assert (manifest.restores, manifest.noise) == (True, (25, 25))
    manifest = prepare(config, ALONE).manifest
    assert (manifest.restores, manifest.noise) == (False, None)


def test_noisy_pictures_are_not_scaled(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    def noisy(root: Path, split: str) -> DegradedFolder:
        return DegradedFolder(Folder(root / split / "image"), ImageSpec(), SIGMA_25)

    monkeypatch.setitem(DATASETS, "noisy", noisy)
    prepare(replace(config, dataset="noisy"), ALONE)
    with pytest.raises(InputError, match="would take away what noisy is degraded by; crop instead"):
        prepare(replace(config, dataset="noisy", scale=(16, 16)), ALONE)


@pytest.mark.parametrize("vgg19", ["", "download"])
def test_missing_perceptual_weights_are_noted_once(
    config: TrainConfig, vgg19: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def offline(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    train(replace(config, objective=WITH_PERCEPTUAL, vgg19=vgg19))
    said = capsys.readouterr().out
    assert said.count("trains without the perceptual term: ") == 1
    assert ("no network" in said) == (vgg19 == "download")
    assert "perceptual 0" not in said
    assert not list(tmp_path.rglob("*.pth"))


def test_perceptual_weights_in_a_wrong_file_stop_the_run(config: TrainConfig, tmp_path: Path):
    for path, message in ((tmp_path / "gone.pth", "no such file"), (Path(__file__), "SHA-256 is ")):
        with pytest.raises(InputError, match=message) as caught:
            prepare(replace(config, objective=WITH_PERCEPTUAL, vgg19=str(path)), ALONE)
        assert not isinstance(caught.value, MissingWeightsError)


def test_without_its_weights_the_perceptual_term_cannot_be_all(config: TrainConfig):
    with pytest.raises(InputError, match=r"no VGG19 weights given.*; the objective has nothing left"):
        prepare(replace(config, objective=Objective(adversarial=None)), ALONE)


def test_perceptual_weights_in_a_file_are_used(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "pixelwise.training.run.load_perceptual_loss", lambda path, download, taps: PerceptualLoss(Vgg19Features(taps))
    )
    run = prepare(replace(config, objective=WITH_PERCEPTUAL, vgg19="vgg19.pth"), ALONE)
    assert run.notes == ()
    assert run.game.objective.perceptual == 10.0
    assert run.game.perceptual is not None


def test_a_run_starts_from_a_checkpoint(config: TrainConfig, tmp_path: Path):
    first = train(replace(config, steps=2))
    run = prepare(replace(config, out=str(tmp_path / "second"), start_from=str(first)), ALONE)
    expected = load_checkpoint(first).generator.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(run).items())
    assert all(torch.equal(tensor, expected[name]) for name, tensor in run.average.averaged.state_dict().items())
    assert run.game.generator.network.training
    assert all(parameter.requires_grad for parameter in run.game.generator.network.parameters())


def test_a_run_starts_from_its_own_configuration_only(config: TrainConfig, tmp_path: Path):
    manifest = prepare(config, ALONE).manifest
    other = replace(MODEL, num_labels=5, out_channels=3, bilinear=True, tanh=False)
    path = tmp_path / "other.safetensors"
    save_checkpoint(path, AsapNet(other), replace(manifest, config=vars(other)))
    differences = r"tanh = False \(not True\), bilinear = True \(not False\)"
    with pytest.raises(InputError, match=rf"other\.safetensors: a model of another configuration: {differences}"):
        train(replace(config, start_from=str(path)))


def test_a_run_starts_from_its_own_family_only(config: TrainConfig, tmp_path: Path):
    run = prepare(config, ALONE)
    path = tmp_path / "other.safetensors"
    save_checkpoint(path, run.average.averaged, replace(run.manifest, family="another"))
    with pytest.raises(InputError, match=r"other\.safetensors: a checkpoint of another, expected asapnet"):
        train(replace(config, start_from=str(path)))


@pytest.mark.parametrize(
    ("dataset", "objective", "message"),
    [
        ("facades_labels", None, "classes are found by cross_entropy alone"),
        ("facades_labels", WITHOUT_ADVERSARY, "classes are found by cross_entropy alone"),
        ("facades", replace(WITHOUT_ADVERSARY, cross_entropy=1.0), "the targets are no label maps"),
    ],
)
def test_an_objective_must_suit_what_is_made(
    config: TrainConfig, dataset: str, objective: Objective | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        prepare(replace(config, dataset=dataset, objective=objective), ALONE)
    assert not Path(config.out).exists()


def test_an_objective_that_does_not_suit_is_told_before_weights_are_looked_for(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelwise.training.run.load_perceptual_loss", lambda *_, **__: pytest.fail("too early"))
    config = replace(config, dataset="facades_labels", objective=WITH_PERCEPTUAL, vgg19="download")
    with pytest.raises(InputError, match="classes are found by cross_entropy alone"):
        prepare(config, ALONE)


def test_a_run_removes_what_a_killed_one_left_in_its_own_folders_alone(config: TrainConfig) -> None:
    names = (".last.999999999.partial.safetensors", "sheets/.step_0000003.999999999.partial.png")
    other = Path(config.out) / "other"
    for name in names:
        for folder in (Path(config.out), other):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
    prepare(config, ALONE)
    assert [(Path(config.out) / name).exists() for name in names] == [False, False]
    assert [(other / name).exists() for name in names] == [True, True]
