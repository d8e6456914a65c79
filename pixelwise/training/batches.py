"""Which samples each step sees: a function of the seed and the step alone, so that a resumed run sees the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch.utils.data import DataLoader, Dataset

from pixelwise.condition import PairedSample, stack
from pixelwise.data.augment import Augment, Rehearsal
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.training.config import TrainConfig
from pixelwise.training.interruption import leave_to_the_main_process
from pixelwise.training.processes import Processes


class Batches(Dataset[PairedSample | InputError]):
    """This process's part of the global batch of every step.

    Samples are drawn for ever, reshuffled every epoch, and augmented. A global batch is the same however many processes
    share it.
    """

    def __init__(
        self, samples: PairedData, config: TrainConfig, processes: Processes, rehearse: Rehearsal | None = None
    ) -> None:
        self.samples = samples
        self.augment = Augment(
            config.scale, config.crop, config.flip, config.grey, samples.degrade, config.reads_style, rehearse
        )
        self.seed = config.seed
        self.batch_size = config.batch_size
        self.share = processes.share(config.batch_size)
        self.rank = processes.rank

    def __getitem__(self, step: int) -> PairedSample | InputError:
        """The batch, or what was wrong with it: raised in a loader's process, its message would drown in tracebacks."""
        first = step * self.batch_size + self.rank * self.share
        try:
            return stack([self._sample(position) for position in range(first, first + self.share)])
        except InputError as error:
            return error

    def _sample(self, position: int) -> PairedSample:
        epoch, place = divmod(position, len(self.samples))
        index = _shuffled(len(self.samples), self.seed, epoch)[place]
        return self.augment(self.samples[index], seeded_generator(self.seed, position))


def batches(
    samples: PairedData,
    config: TrainConfig,
    processes: Processes,
    first_step: int,
    rehearse: Rehearsal | None = None,
) -> Iterator[PairedSample]:
    """This process's part of every global batch from ``first_step`` on, one batch per step until ``config.steps``.

    Args:
        samples, config, processes: of the run.
        first_step: the first one whose batch is wanted.
        rehearse: see ``Augment``.

    Raises:
        InputError: a batch that cannot be shared evenly, a sample that cannot be read, or is smaller than the crop.
    """
    steps = range(first_step, config.steps)
    loader = DataLoader(
        Batches(samples, config, processes, rehearse),
        batch_size=None,
        sampler=steps,
        num_workers=config.num_workers,
        worker_init_fn=leave_to_the_main_process,
    )
    for batch in loader:
        if isinstance(batch, InputError):
            raise batch
        yield batch


def portions_of(batch: PairedSample, count: int) -> list[PairedSample]:
    """A batch cut into ``count`` equal portions. Raises InputError when they don't come out even."""
    if len(batch) % count:
        raise InputError(f"a batch of {len(batch)} per process cannot be cut into {count} equal portions")
    size = len(batch) // count
    return [batch[start : start + size] for start in range(0, len(batch), size)]


def seed_globally(*seeds: int) -> None:
    """Seeds torch's global random numbers, on every device, from all of ``seeds``."""
    torch.manual_seed(seeded_generator(*seeds).initial_seed())


def seeded_generator(*seeds: int) -> torch.Generator:
    """A generator whose numbers depend on all of ``seeds``, neighbouring seeds giving unrelated ones."""
    mixed = 0
    for seed in seeds:
        # One round of splitmix64: without it, seeds that differ in a bit give generators that start alike.
        mixed = (mixed ^ seed) + 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 31
    return torch.Generator().manual_seed(mixed >> 1)


@lru_cache(maxsize=2)
def _shuffled(length: int, seed: int, epoch: int) -> list[int]:
    order: list[int] = torch.randperm(length, generator=seeded_generator(seed, -1 - epoch & 0xFFFFFFFF)).tolist()
    return order
