from __future__ import annotations

import pytest
import torch

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.semantics import semantic_planes

LABELS = torch.tensor([[[0, 1], [2, 1]]])
INSTANCES = torch.tensor([[[5, 5], [5, 6]]])
IMAGE = torch.rand(1, 2, 2, 2)


def test_labels_then_image_then_edges() -> None:
    planes = semantic_planes(Condition(LABELS, INSTANCES, IMAGE), num_labels=3, image_channels=2, edges=True)
    assert planes.shape == (1, 6, 2, 2)
    assert torch.equal(planes[:, :3].argmax(dim=1), LABELS)
    assert torch.equal(planes[:, 3:5], IMAGE)
    assert planes[0, 5].tolist() == [[0, 1], [1, 1]]


def test_parts_that_are_not_asked_for_are_left_out() -> None:
    planes = semantic_planes(Condition(LABELS, INSTANCES, IMAGE), num_labels=0, image_channels=2, edges=False)
    assert torch.equal(planes, IMAGE)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (Condition(image=IMAGE, instances=INSTANCES), "label map of 3 classes"),
        (Condition(labels=LABELS, instances=INSTANCES), "2 channels is needed, the condition has 0"),
        (Condition(LABELS, INSTANCES, torch.rand(1, 4, 2, 2)), "2 channels is needed, the condition has 4"),
        (Condition(labels=LABELS, image=IMAGE), "instance map"),
        (Condition(LABELS + 1, INSTANCES, IMAGE), r"labels run from 1 to 3, expected 0\.\.2"),
    ],
)
def test_what_is_missing_is_named(condition: Condition, message: str) -> None:
    with pytest.raises(InputError, match=message):
        semantic_planes(condition, num_labels=3, image_channels=2, edges=True)
