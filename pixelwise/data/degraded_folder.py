"""A folder of clean images, each to be found again after a degradation that is made on the fly."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import Dataset

from pixelwise import images
from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.data.degrade import Degrade
from pixelwise.data.layout import Folder
from pixelwise.images import ImageSpec


class DegradedFolder(Dataset[PairedSample]):
    """Degraded to clean. A sample is degraded alike whenever it is read; ``Augment`` draws afresh in training.

    Crop samples, but don't scale them: that takes noise and blur away.

    Args:
        folder: the clean images.
        target: how they are stored.
        degrade: makes the condition.
        seed: another seed, other noise and other blur.

    Raises:
        InputError: an empty or missing folder; when a sample is read, all that ``pixelwise.images`` refuses.
    """

    def __init__(self, folder: Folder, target: ImageSpec, degrade: Degrade, seed: int = 0) -> None:
        self.target = self.image = target
        self.degrade = degrade
        self.seed = seed
        self.spec = ConditionSpec(image_channels=target.channels)
        self._files = folder.files()
        self.names = tuple(self._files)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> PairedSample:
        path = self._files[self.names[index]]
        clean = images.to_tensor(images.read(path), self.target, path)[None]
        degraded = self.degrade(clean, self._generator(range(len(self))[index]))
        return PairedSample(condition=Condition(image=degraded), target=clean, names=(self.names[index],))

    def _generator(self, index: int) -> torch.Generator:
        state = np.random.SeedSequence((self.seed, index)).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(state[0]) >> 1)
