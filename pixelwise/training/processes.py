"""One process or many: who am I, and how do we agree. Started by ``torchrun``, or alone without it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pixelwise.device import find_device
from pixelwise.errors import InputError

_PATIENCE = timedelta(days=7)
"""How long processes wait for each other. While the first one validates, downloads weights or looks for styles in the
whole training set, the others do nothing, and torch's own ten minutes would end them. When one fails, torchrun ends
all."""


@dataclass(frozen=True)
class Processes:
    """The processes that share a run, seen from one of them.

    Attributes:
        rank: this process, 0 … count - 1; the first one writes and speaks.
        count: of all processes.
        device: this process's.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replaces every tensor by its mean over processes, in place."""
        if self.count == 1:
            return
        for tensor in tensors:
            dist.all_reduce(tensor)
            tensor /= self.count

    def average_gradients(self, module: nn.Module) -> None:
        self.average(parameter.grad for parameter in module.parameters() if parameter.grad is not None)

    def share(self, batch_size: int) -> int:
        """Samples of a global batch that fall to each process. Raises InputError when they don't come out even."""
        if batch_size % self.count:
            raise InputError(f"a batch of {batch_size} cannot be dealt evenly to {self.count} processes")
        return batch_size // self.count

    def wait(self) -> None:
        """Returns once all processes have come here."""
        if self.count > 1:
            dist.barrier()

    @contextmanager
    def first_one_first(self) -> Iterator[None]:
        """The others enter when the first process has left, and find what it fetched."""
        if not self.is_first:
            self.wait()
        try:
            yield
        finally:
            if self.is_first:
                self.wait()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Dissolves the group, when all have come to the same point.

        After an error the others may never come there: then the group is left at once, and torchrun ends them too. It
        must be left all the same, since its threads make a process that ends with them running abort.
        """
        if self.count > 1:
            if error is None:
                dist.barrier()
            dist.destroy_process_group()


def join_processes(device: str) -> Processes:
    """Joins the group that ``torchrun`` announced in the environment, if any.

    Args:
        device: as torch calls it, or "auto" for the GPU if there is one. Of GPUs each process takes one of its own.

    Raises:
        InputError: a device that is not there, one GPU for several processes, or more of these than GPUs.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    here = _device(device, count, local_rank=int(os.environ.get("LOCAL_RANK", "0")))
    if count > 1:
        dist.init_process_group("nccl" if here.type == "cuda" else "gloo", timeout=_PATIENCE)
    return Processes(int(os.environ.get("RANK", "0")), count, here)


def _device(name: str, count: int, local_rank: int) -> torch.device:
    if name == "auto":
        name = find_device(name).type
    if name.startswith("cuda:") and count > 1:
        raise InputError(f"device {name}: is one GPU for {count} processes; give cuda, and each takes its own")
    if name == "cuda" and 0 < (num_gpus := torch.cuda.device_count()) <= local_rank:
        raise InputError(f"process {local_rank} of this machine has no GPU of its own: there are {num_gpus}")
    here = find_device(f"cuda:{local_rank}" if name == "cuda" else name)
    if here.type == "cuda":
        torch.cuda.set_device(here)
    return here
