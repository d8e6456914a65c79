"""Everything a run needs, built from its configuration."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pixelwise.atomic import remove_leftovers
from pixelwise.checkpoint import Manifest, load_checkpoint, manifest_for, resolve
from pixelwise.data import dataset_named
from pixelwise.data.augment import Augment, Rehearsal
from pixelwise.data.degrade import GaussianNoise
from pixelwise.data.paired_data import PairedData
from pixelwise.device import find_dtype
from pixelwise.discriminators import discriminator_of
from pixelwise.discriminators.conditioning import num_input_channels
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec, TargetSpec, num_outputs
from pixelwise.labels import LabelSpec
from pixelwise.losses.objective import Objective
from pixelwise.losses.perceptual import TAPS, PerceptualLoss, Taps, load_perceptual_loss
from pixelwise.models import family_of
from pixelwise.models.family import config_for, config_to_json
from pixelwise.models.memory import BankReference
from pixelwise.published_weights import MissingWeightsError
from pixelwise.training.average import WeightAverage
from pixelwise.training.batches import seed_globally
from pixelwise.training.config import TrainConfig
from pixelwise.training.processes import Processes
from pixelwise.training.step import Game, Player
from pixelwise.training.validation import FixedSamples
from pixelwise.version import VERSION

NUM_SHEET_SAMPLES = 8
SHEETS = "sheets"
STYLE_CHANNELS = 3


@dataclass(frozen=True)
class Run:
    """What ``train`` works on.

    Attributes:
        config: what was asked for, the model's channels and the family's discriminator filled in.
        folder: the run's own.
        processes: who runs it.
        samples: to learn from.
        fixed_samples: the same, at the size that training sees, but unvaried.
        validation_samples: to validate on, at the size that training sees.
        sheet_samples: a few of the validation split, spread over it, to look at.
        game: networks, optimisers, losses.
        average: the averaged generator.
        manifest: of the checkpoints, but for step and scores.
        rehearse: makes of samples what the generator learns from, for a family that draws from a memory bank.
        notes: what the user should know before it starts.
    """

    config: TrainConfig
    folder: Path
    processes: Processes
    samples: PairedData
    fixed_samples: FixedSamples
    validation_samples: FixedSamples
    sheet_samples: FixedSamples
    game: Game
    average: WeightAverage
    manifest: Manifest
    rehearse: Rehearsal | None
    notes: tuple[str, ...]

    @property
    def sheets(self) -> Path:
        return self.folder / SHEETS

    @property
    def state_file(self) -> Path:
        return self.folder / "state.pt"

    @property
    def last_checkpoint(self) -> Path:
        return self.folder / "last.safetensors"

    @property
    def best_checkpoint(self) -> Path:
        return self.folder / "best.safetensors"


def prepare(config: TrainConfig, processes: Processes) -> Run:
    """Opens the data and builds the networks, with weights that depend on the seed alone.

    Raises:
        InputError: data, configuration or starting weights that cannot be used.
    """
    samples, validation = (_data(config, split) for split in ("train", "val"))
    wanted = config.objective or family_of(config.model).objective
    _check_objective(wanted, samples.target)
    folder = _folder(config.out, processes)
    seed_globally(config.seed)
    config = _completed(config, samples)
    generator = _generator(config)
    bank, rehearse = _memory(generator, config)
    objective, perceptual, notes = _objective(wanted, config.vgg19, processes)
    game = Game(
        generator=_player(generator, config, config.learning_rate, processes),
        discriminator=_discriminator(objective, config, samples, processes),
        objective=objective,
        num_labels=samples.spec.num_labels,
        perceptual=perceptual,
        autocast=_autocast(config.precision, processes.device),
        num_classes=samples.target.num_classes if isinstance(samples.target, LabelSpec) else 0,
    )
    centred = Augment(config.scale, config.crop, own_style=config.reads_style)
    return Run(
        config=config,
        folder=folder,
        processes=processes,
        samples=samples,
        fixed_samples=FixedSamples(samples, centred, len(samples)),
        validation_samples=FixedSamples(validation, centred, config.validation_samples),
        sheet_samples=FixedSamples(validation, centred, NUM_SHEET_SAMPLES),
        game=game,
        average=WeightAverage(generator, config.ema_decay),
        manifest=replace(_manifest(config, samples), bank=bank),
        rehearse=rehearse,
        notes=notes,
    )


def _data(config: TrainConfig, split: str) -> PairedData:
    samples = dataset_named(config.dataset)(Path(config.data), split)
    if config.scale is not None and samples.degrade is not None:
        raise InputError(f"scale {config.scale} would take away what {config.dataset} is degraded by; crop instead")
    return samples


def _folder(out: str, processes: Processes) -> Path:
    """The run's folder, made where it is missing, and rid of what a killed run left unfinished."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be the run's folder ({error})") from error
    if processes.is_first:
        for written in (folder, folder / SHEETS):
            remove_leftovers(written)
    return folder


def _completed(config: TrainConfig, samples: PairedData) -> TrainConfig:
    target, num_channels = samples.target, num_outputs(samples.target)
    if config.reads_style and (isinstance(target, LabelSpec) or num_channels != STYLE_CHANNELS):
        raise InputError(
            f"the model reads a style picture of {STYLE_CHANNELS} channels, which in training is the target; "
            f"targets of {config.dataset} have {num_channels}"
        )
    return replace(
        config,
        model=config_for(config.model, samples.spec, num_channels),
        discriminator=config.discriminator or family_of(config.model).discriminator_for(config.model),
    )


def _generator(config: TrainConfig) -> nn.Module:
    family = family_of(config.model)
    if not config.start_from:
        return family.generator(config.model)
    path = resolve(config.start_from)
    start = load_checkpoint(path, family=family.name).generator
    if family.growth is not None and start.config == family.coarser(config.model):
        generator = family.generator(config.model)
        family.growth.take_over(generator, start)
        return generator
    found, wanted = config_to_json(start.config), config_to_json(config.model)
    if differences := [f"{name} = {found[name]} (not {wanted[name]})" for name in found if found[name] != wanted[name]]:
        raise InputError(f"{path}: a model of another configuration: {', '.join(differences)}")
    assert isinstance(start, nn.Module)
    return start


def _memory(generator: nn.Module, config: TrainConfig) -> tuple[BankReference | None, Rehearsal | None]:
    """Gives the generator its memory bank; what a manifest says of it, and how the generator rehearses with it."""
    memory = family_of(config.model).memory
    if memory is None:
        return None, None
    bank = memory.open(Path(config.bank))
    memory.give(generator, bank)
    return memory.refer(bank), partial(memory.rehearse, config.model, bank)


def _player(network: nn.Module, config: TrainConfig, rate: float, processes: Processes) -> Player:
    # Twice as fast as the default layout on a CPU, and what tensor cores want.
    network.to(processes.device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    on_gpu = processes.device.type == "cuda"
    return Player(
        network=network,
        optimiser=torch.optim.Adam(network.parameters(), rate, config.betas),
        scaler=torch.amp.GradScaler(processes.device.type, enabled=on_gpu and config.precision == "fp16"),
        max_gradient_norm=config.max_gradient_norm,
        processes=processes,
    )


def _discriminator(
    objective: Objective, config: TrainConfig, samples: PairedData, processes: Processes
) -> Player | None:
    if objective.adversarial is None or config.discriminator is None:
        return None
    semantic_channels = num_input_channels(samples.spec, picture_channels=0)
    network = discriminator_of(config.discriminator, semantic_channels, num_outputs(samples.target))
    return _player(network, config, config.discriminator_learning_rate, processes)


def _objective(
    objective: Objective, vgg19: str, processes: Processes
) -> tuple[Objective, PerceptualLoss | None, tuple[str, ...]]:
    """The objective, its perceptual loss, and what to say when that must be left out for want of weights."""
    perceptual: PerceptualLoss | None = None
    notes: tuple[str, ...] = ()
    if objective.perceptual:
        try:
            perceptual = _perceptual(vgg19, TAPS[objective.perceptual_layers], processes)
        except MissingWeightsError as error:
            objective = replace(objective, perceptual=0.0)
            notes = (f"trains without the perceptual term: {error}",)
    if objective.adversarial is None and not any(
        (objective.perceptual, objective.l1, objective.l2, objective.cross_entropy)
    ):
        raise InputError("; ".join((*notes, "the objective has nothing left that compares output and target")))
    return objective, perceptual, notes


def _check_objective(objective: Objective, target: TargetSpec) -> None:
    compares_pictures = objective.adversarial or objective.perceptual or objective.l1 or objective.l2
    if isinstance(target, LabelSpec) and (compares_pictures or not objective.cross_entropy):
        raise InputError(
            "classes are found by cross_entropy alone: objective=Objective(adversarial=None, perceptual=0.0, "
            f"cross_entropy=1.0), got {objective}"
        )
    if isinstance(target, ImageSpec) and objective.cross_entropy:
        raise InputError(f"objective.cross_entropy is {objective.cross_entropy:g}, but the targets are no label maps")


def _perceptual(vgg19: str, taps: Taps, processes: Processes) -> PerceptualLoss:
    if not vgg19:
        raise MissingWeightsError('no VGG19 weights given (vgg19 = a file, or "download")')
    path = None if vgg19 == "download" else Path(vgg19)
    with processes.first_one_first():
        return load_perceptual_loss(path, download=path is None, taps=taps).to(processes.device)


def _autocast(precision: str, device: torch.device) -> Callable[[], AbstractContextManager[object]]:
    dtype = find_dtype(precision)
    if dtype is torch.float16 and device.type == "cpu":
        raise InputError(f"precision {precision} needs a GPU; on a CPU there are fp32 and bf16")
    return partial(torch.autocast, device.type, dtype, enabled=dtype is not torch.float32)


def _manifest(config: TrainConfig, samples: PairedData) -> Manifest:
    return manifest_for(
        config.model,
        replace(samples.spec, style=config.reads_style),
        image=samples.image,
        target=samples.target,
        restores=samples.degrade is not None or family_of(config.model).restores,
        noise=(degrade.lowest, degrade.highest) if isinstance(degrade := samples.degrade, GaussianNoise) else None,
        weights="ema" if config.ema_decay else "raw",
        source=f"trained by pixelwise {VERSION} on {len(samples)} samples of {config.dataset}",
        licence=config.licence,
    )
