from __future__ import annotations

import numpy as np
import torch

from pixelwise.condition import Condition, ConditionSpec
from pixelwise.contact_sheet import GAP, condition_pictures, contact_sheet, tensor_pictures
from pixelwise.labels import LabelSpec


def test_pictures_of_all_sizes_stand_in_their_places() -> None:
    tall, wide = np.full((6, 2, 3), 10, np.uint8), np.full((3, 8, 3), 20, np.uint8)
    sheet = contact_sheet([[tall, wide], [wide]])
    assert sheet.shape == (2 * 6 + GAP, 2 * 8 + GAP, 3)
    assert (sheet[:6, :2] == 10).all()
    assert (sheet[:3, 8 + GAP :] == 20).all()
    assert (sheet[6 + GAP : 9 + GAP, :8] == 20).all()
    assert (sheet[6 : 6 + GAP] == 255).all()


def test_labels_are_shown_in_their_colours() -> None:
    spec = ConditionSpec(LabelSpec(("a", "b"), colours=((1, 2, 3), (4, 5, 6))))
    (picture,) = condition_pictures(Condition(labels=torch.tensor([[[0, 1]]])), spec)
    assert picture.tolist() == [[[1, 2, 3], [4, 5, 6]]]


def test_images_are_shown_as_colour_or_grey() -> None:
    colour, grey = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1), torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)
    assert tensor_pictures(colour)[0].tolist() == [[[0, 128, 255]]]
    assert tensor_pictures(grey)[0].tolist() == [[[255, 255, 255]]]
    (shown,) = condition_pictures(Condition(image=grey), ConditionSpec(image_channels=2))
    assert shown.tolist() == [[[255, 255, 255]]]
