"""A folder of images that hold condition and target next to each other, as pix2pix publishes its data sets."""

from __future__ import annotations

import numpy as np
from torch.utils.data import Dataset

from pixelwise import images
from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.data.layout import Layout


class SideBySide(Dataset[PairedSample]):
    """One half to the other.

    Args:
        layout: the folder of the images, of even width; both halves are stored alike.
        target_right: whether the right half is to be made from the left one, or the left from the right.

    Raises:
        InputError: an empty or missing folder; when a sample is read, an odd width and all that ``pixelwise.images``
            refuses.
    """

    def __init__(self, layout: Layout, *, target_right: bool = True) -> None:
        self.layout = layout
        self.target = self.image = layout.images[layout.target]
        self.degrade = None
        self.target_right = target_right
        self.spec = ConditionSpec(image_channels=self.target.channels)
        self._files = layout.folders[layout.target].files()
        self.names = tuple(self._files)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> PairedSample:
        path = self._files[self.names[index]]
        both = images.read(path)
        self.layout.check_shape(path, both.shape)
        left, right = (images.to_tensor(half, self.target, path)[None] for half in np.split(both, 2, axis=1))
        condition, target = (left, right) if self.target_right else (right, left)
        return PairedSample(condition=Condition(image=condition), target=target, names=(self.names[index],))
