"""A folder of images that hold condition and target next to each other, as pix2pix publishes its data sets."""

from __future__ import annotations

import numpy as np
from torch.utils.data import Dataset

from pixelwise import images
from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.data.paired_folder import Folder
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec


class SideBySide(Dataset[PairedSample]):
    """One half to the other.

    Args:
        folder: the images, of even width.
        stored: how they are stored, both halves alike.
        target_right: whether the right half is to be made from the left one, or the left from the right.

    Raises:
        InputError: an empty or missing folder; when a sample is read, an odd width and all that ``pixelwise.images``
            refuses.
    """

    def __init__(self, folder: Folder, stored: ImageSpec, *, target_right: bool = True) -> None:
        self.target = self.image = stored
        self.degrade = None
        self.target_right = target_right
        self.spec = ConditionSpec(image_channels=stored.channels)
        self._files = folder.files()
        self.names = tuple(self._files)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> PairedSample:
        path = self._files[self.names[index]]
        both = images.read(path)
        if both.shape[1] % 2:
            raise InputError(f"{path}: is {both.shape[1]} pixels wide, expected two halves of one width")
        left, right = (images.to_tensor(half, self.target, path)[None] for half in np.split(both, 2, axis=1))
        condition, target = (left, right) if self.target_right else (right, left)
        return PairedSample(condition=Condition(image=condition), target=target, names=(self.names[index],))
