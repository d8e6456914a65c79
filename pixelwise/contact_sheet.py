"""Pictures side by side in one picture, for eyes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from pixelwise.condition import Condition, ConditionSpec
from pixelwise.images import ImageSpec, TargetSpec, from_tensor
from pixelwise.labels import LabelSpec

GAP = 4
WHITE = 255


def contact_sheet(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Pictures H W 3 uint8 of any sizes in rows and columns on white, every place as large as the largest needs."""
    height = max(picture.shape[0] for row in rows for picture in row)
    width = max(picture.shape[1] for row in rows for picture in row)
    columns = max(len(row) for row in rows)
    sheet = np.full((len(rows) * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), WHITE, np.uint8)
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            top, left = down * (height + GAP), across * (width + GAP)
            sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet


def condition_pictures(condition: Condition, spec: ConditionSpec) -> list[np.ndarray]:
    """One picture H W 3 uint8 per sample of the batch: its image if it has one, else its labels in colours."""
    if condition.image is not None:
        return tensor_pictures(condition.image)
    assert condition.labels is not None
    assert spec.labels is not None
    return target_pictures(condition.labels, spec.labels)


def target_pictures(targets: Tensor, target: TargetSpec) -> list[np.ndarray]:
    """One picture H W 3 uint8 per target of a batch: pictures B C H W in [-1, 1], or class indices B H W in colours."""
    if isinstance(target, LabelSpec):
        return [target.colourise(labels.cpu().numpy()) for labels in targets]
    return tensor_pictures(targets)


def tensor_pictures(images: Tensor) -> list[np.ndarray]:
    """One picture H W 3 uint8 per image of B C H W in [-1, 1]: three channels as colours, else the first as grey."""
    shown = images if images.shape[1] == 3 else images[:, :1].expand(-1, 3, -1, -1)
    return [from_tensor(image, ImageSpec(3)) for image in shown.detach().cpu().float()]
