from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch
from tiny_run import NUM_TRAIN
from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.data.degrade import GaussianNoise
from pixelwise.data.degraded_folder import DegradedFolder
from pixelwise.data.facades import facades
from pixelwise.data.layout import Folder
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.training import TrainConfig
from pixelwise.training.batches import batches, portions_of, seed_globally, seeded_generator
from pixelwise.training.processes import Processes


@pytest.fixture
def samples(data: Path) -> PairedData:
    return facades(data, "train")


def drawn(
    samples: PairedData, config: TrainConfig, rank: int = 0, count: int = 1, first_step: int = 0
) -> list[PairedSample]:
    return list(batches(samples, config, Processes(rank, count, torch.device("cpu")), first_step))


def names(samples: list[PairedSample]) -> list[str]:
    return list(chain.from_iterable(sample.names for sample in samples))


def assert_equal(ours: list[PairedSample], theirs: list[PairedSample]) -> None:
    assert [sample.names for sample in ours] == [sample.names for sample in theirs]
    for our, their in zip(ours, theirs, strict=True):
        assert torch.equal(our.target, their.target)
        assert our.condition.planes().keys() == their.condition.planes().keys()
        for name, plane in our.condition.planes().items():
            assert torch.equal(plane, their.condition.planes()[name])


def test_every_epoch_has_every_sample_once_in_another_order(samples: PairedData, config: TrainConfig):
    order = names(drawn(samples, replace(config, batch_size=2, steps=2 * NUM_TRAIN)))
    epochs = [tuple(order[start : start + NUM_TRAIN]) for start in range(0, 4 * NUM_TRAIN, NUM_TRAIN)]
    assert all(sorted(epoch) == sorted(samples.names) for epoch in epochs)
    assert len(set(epochs)) > 1


def test_the_seed_decides(samples: PairedData, config: TrainConfig):
    assert_equal(drawn(samples, config), drawn(samples, config))
    assert names(drawn(samples, config)) != names(drawn(samples, replace(config, seed=1)))


def test_a_step_sees_the_same_wherever_the_run_began(samples: PairedData, config: TrainConfig):
    assert_equal(drawn(samples, config, first_step=4), drawn(samples, config)[4:])
    assert drawn(samples, config, first_step=config.steps) == []


def test_readers_in_other_processes_change_nothing(samples: PairedData, config: TrainConfig):
    assert_equal(drawn(samples, replace(config, num_workers=2)), drawn(samples, config))


def test_readers_in_other_processes_take_no_notice_of_ctrl_c(samples: PairedData, config: TrainConfig):
    stream = batches(samples, replace(config, num_workers=1), Processes(0, 1, torch.device("cpu")), 0)
    next(stream)
    for reader in multiprocessing.active_children():
        os.kill(reader.pid, signal.SIGINT)
    assert len(list(stream)) == config.steps - 1


def test_processes_share_the_batches_of_one(samples: PairedData, config: TrainConfig):
    config = replace(config, batch_size=4)
    for whole, *parts in zip(
        drawn(samples, config), *(drawn(samples, config, rank, 2) for rank in (0, 1)), strict=True
    ):
        assert_equal(parts, [whole[:2], whole[2:]])


def test_a_batch_that_cannot_be_shared_evenly(samples: PairedData, config: TrainConfig):
    with pytest.raises(InputError, match="a batch of 2 cannot be dealt evenly to 3 processes"):
        drawn(samples, config, count=3)


def test_a_crop_that_does_not_fit_names_the_sample(samples: PairedData, config: TrainConfig):
    with pytest.raises(InputError, match=r"^\d: 32x32 is smaller than the crop of 64x64[^\n]*$"):
        drawn(samples, replace(config, crop=(64, 64), num_workers=1))


def test_a_batch_is_cut_into_equal_portions(samples: PairedData, config: TrainConfig):
    (batch,) = drawn(samples, replace(config, batch_size=6, steps=1))
    portions = portions_of(batch, 3)
    assert [len(portion) for portion in portions] == [2, 2, 2]
    assert names(portions) == list(batch.names)
    with pytest.raises(InputError, match="a batch of 6 per process cannot be cut into 4 equal portions"):
        portions_of(batch, 4)


def noise_by_name(data: Path, config: TrainConfig) -> dict[str, list[Tensor]]:
    """What is added to each picture in three epochs."""
    samples = DegradedFolder(Folder(data / "train" / "image"), ImageSpec(), GaussianNoise(25, 25))
    config = replace(config, crop=None, flip=False, batch_size=1, steps=3 * NUM_TRAIN)
    noise: dict[str, list[Tensor]] = {}
    for batch in drawn(samples, config):
        noise.setdefault(batch.names[0], []).append(batch.condition.image - batch.target)
    return noise


def test_noise_is_drawn_afresh_each_time_a_sample_is_seen(data: Path, config: TrainConfig):
    for draws in noise_by_name(data, config).values():
        assert len(draws) == 3
        for one, other in ((0, 1), (0, 2), (1, 2)):
            correlation = torch.corrcoef(torch.stack([draws[one].flatten(), draws[other].flatten()]))[0, 1]
            assert abs(correlation) < 0.1
        for draw in draws:
            assert draw.std().item() * 255 / 2 == pytest.approx(25, rel=0.1)


def test_the_seed_decides_over_the_noise(data: Path, config: TrainConfig):
    again, other = noise_by_name(data, config), noise_by_name(data, replace(config, seed=1))
    for name, draws in noise_by_name(data, config).items():
        assert all(map(torch.equal, draws, again[name]))
        assert not any(map(torch.equal, draws, other[name]))


def first_number(*seeds: int) -> float:
    return torch.rand((), generator=seeded_generator(*seeds), dtype=torch.float64).item()


def test_neighbouring_seeds_give_unrelated_numbers():
    numbers = torch.tensor([[first_number(seed, place) for place in range(50)] for seed in range(50)])
    assert len(numbers.unique()) == numbers.numel()
    assert abs(numbers.mean() - 0.5) < 0.03
    for shifted in (numbers.roll(1, 0), numbers.roll(1, 1), numbers.T):
        assert abs(torch.corrcoef(torch.stack([numbers.flatten(), shifted.flatten()]))[0, 1]) < 0.1


def test_negative_seeds_are_seeds():
    assert first_number(-1) != first_number(1)


def test_global_numbers_can_be_seeded():
    seed_globally(1, 2)
    first = torch.rand(3)
    seed_globally(1, 2)
    assert torch.equal(torch.rand(3), first)
    seed_globally(1, 3)
    assert not torch.equal(torch.rand(3), first)
