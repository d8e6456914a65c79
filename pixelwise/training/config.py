"""What a training run is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pixelwise.device import find_dtype
from pixelwise.discriminators import DiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.fields import check_fields
from pixelwise.losses.objective import Objective
from pixelwise.models import family_of

POSITIVE = (
    *("batch_size", "accumulate", "steps", "learning_rate", "discriminator_learning_rate"),
    *("save_every", "sheet_every", "validate_every", "validation_samples"),
)
NOT_NEGATIVE = ("constant_steps", "frozen_steps", "max_gradient_norm", "num_workers")


@dataclass(frozen=True)
class TrainConfig:
    """One training run: an experiment file binds one, and the command line overrides its flat fields.

    Attributes:
        model: a family's configuration; its type is the family. Input and output channels left at 0 come from the data.
            A model that reads a style picture gets the target as such.
        dataset: a name of ``DATASETS``.
        data: the data set's folder.
        out: the run's folder: checkpoints, state to resume from, sample sheets, log.
        objective: weights of the losses; None for the paper's own.
        discriminator: its sizes, whose type says which one it is; None for the paper's own. Not read without an
            adversarial term.
        scale: (height, width) that samples are resized to before cropping; None to leave them.
        crop: (height, width) of random crops; None for whole samples.
        flip: whether samples are mirrored left to right, every second one.
        grey: the share of samples whose pictures lose their colours, so that a model of colour photos knows grey ones.
        batch_size: samples of one optimiser step, over all processes and accumulated portions together.
        accumulate: portions that a process cuts its share of the batch into, to save memory. The update stays that of
            the whole batch, except for batch norm, whose statistics are each portion's and each process's own; for
            spectral norm's estimate, which every portion improves once; and for two losses, PAN's margin, which each
            portion's mean has to reach, and SIMS' ordering, a mean over each portion's own pairs.
        steps: optimiser steps in all.
        constant_steps: steps before the learning rates start to fall, linearly to zero at ``steps``.
        frozen_steps: first steps, in which the weights taken from a coarser model hold still and only the others learn.
        learning_rate, discriminator_learning_rate: of Adam; two time scales (TTUR, Heusel et al. 2017).
        betas: of Adam.
        max_gradient_norm: each player's gradients are scaled down to this norm; 0 to leave them.
        ema_decay: of the averaged generator, which is validated and shipped; 0 to use the raw weights.
        precision: "fp32", "bf16", or on a GPU "fp16".
        vgg19: file of VGG19's weights for the perceptual term, "download", or "" to train without the term.
        bank: file of the memory bank, for a family that draws from one; "" for others.
        start_from: a checkpoint whose weights the generator starts with: of the same configuration, or of the coarser
            one that a family which trains from coarse to fine begins with (``Family.growth``).
        save_every, sheet_every, validate_every: steps between states, sample sheets and validations.
        validation_samples: at most so many samples of the validation split, spread evenly over it, are validated on.
        licence: terms of the resulting weights, for their manifest.
        seed: two runs with equal seeds are equal.
        num_workers: processes that read samples; 0 reads in the training process.
        device: "auto", "cpu", "cuda", or a single process's GPU, such as "cuda:1".
    """

    model: Any
    dataset: str
    data: str
    out: str
    objective: Objective | None = None
    discriminator: DiscriminatorConfig | None = None
    scale: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    flip: bool = True
    grey: float = 0.0
    batch_size: int = 4
    accumulate: int = 1
    steps: int = 10_000
    constant_steps: int = 5_000
    frozen_steps: int = 0
    learning_rate: float = 1e-4
    discriminator_learning_rate: float = 4e-4
    betas: tuple[float, float] = (0.0, 0.9)
    max_gradient_norm: float = 0.0
    ema_decay: float = 0.999
    precision: str = "fp32"
    vgg19: str = ""
    bank: str = ""
    start_from: str = ""
    save_every: int = 500
    sheet_every: int = 500
    validate_every: int = 1000
    validation_samples: int = 64
    licence: str = ""
    seed: int = 0
    num_workers: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_fields(TrainConfig, vars(self))
        family_of(self.model)
        for name in POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} must be positive, got {getattr(self, name)}")
        for name in NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} must be 0 or more, got {getattr(self, name)}")
        find_dtype(self.precision)
        if not 0 <= self.grey <= 1:
            raise InputError(f"grey must lie in [0, 1], got {self.grey}")
        if not all(0 <= decay < 1 for decay in (self.ema_decay, *self.betas)):
            raise InputError(f"ema_decay and betas must lie in [0, 1), got {self.ema_decay} and {self.betas}")
        if bool(self.bank) != (family_of(self.model).memory is not None):
            name = family_of(self.model).name
            raise InputError(
                f"bank is {self.bank!r}, but {name} draws from no memory bank"
                if self.bank
                else f"{name} draws from a memory bank: give its file as bank; `pixelwise memorise` makes one"
            )
        if self.frozen_steps and not (self.start_from and family_of(self.model).coarser(self.model)):
            raise InputError(
                f"frozen_steps is {self.frozen_steps}, but no weights are there to hold still: that takes a model with "
                "a coarser one inside, of a family which trains from coarse to fine, and start_from, its checkpoint"
            )

    @property
    def reads_style(self) -> bool:
        """Whether the model reads a style picture."""
        return family_of(self.model).reads_style(self.model)
