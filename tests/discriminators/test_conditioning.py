from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise.condition import Condition, ConditionSpec
from pixelwise.discriminators.conditioning import discriminator_inputs, num_input_channels
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec

GOLDEN = Path(__file__).parents[1] / "golden"


def test_labels_image_edges_then_picture() -> None:
    labels = torch.tensor([[[0, 1], [1, 2]]])
    instances = torch.tensor([[[4, 4], [4, 9]]])
    image, picture = torch.full((1, 2, 2, 2), 0.25), torch.full((1, 3, 2, 2), -0.5)
    (channels,) = discriminator_inputs(Condition(labels, instances, image), [picture], num_labels=3)
    expected = [
        [[1, 0], [0, 0]],
        [[0, 1], [1, 0]],
        [[0, 0], [0, 1]],
        *[[[0.25, 0.25], [0.25, 0.25]]] * 2,
        [[0, 1], [1, 1]],
        *[[[-0.5, -0.5], [-0.5, -0.5]]] * 3,
    ]
    assert torch.equal(channels, torch.tensor([expected]))


def test_semantics_agree_with_the_original() -> None:
    with np.load(GOLDEN / "preprocess.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
    condition = Condition(arrays["in/label"][:, 0], arrays["in/instance"][:, 0])
    picture = torch.zeros(1, 3, *condition.size)
    (channels,) = discriminator_inputs(condition, [picture], num_labels=7)
    assert torch.equal(channels[:, :-3], arrays["out/semantics"])


def test_only_what_is_present() -> None:
    picture = torch.randn(2, 3, 4, 4)
    image = torch.randn(2, 1, 4, 4)
    (channels,) = discriminator_inputs(Condition(image=image), [picture], num_labels=0)
    assert torch.equal(channels, torch.cat([image, picture], dim=1))


def test_precision_and_gradient_are_the_pictures() -> None:
    picture = torch.randn(1, 3, 4, 4, dtype=torch.bfloat16, requires_grad=True)
    (channels,) = discriminator_inputs(Condition(torch.zeros(1, 4, 4, dtype=torch.int64)), [picture], num_labels=2)
    assert channels.dtype == torch.bfloat16
    channels.sum().backward()
    assert picture.grad is not None


@pytest.mark.parametrize("instances", [False, True])
def test_number_of_channels_is_what_a_spec_promises(instances: bool) -> None:
    spec = ConditionSpec(LabelSpec(("a", "b"), ignore_id=255), instances=instances, image_channels=2)
    ids = torch.zeros(1, 4, 6, dtype=torch.int64)
    condition = Condition(ids, ids if instances else None, torch.zeros(1, 2, 4, 6))
    (channels,) = discriminator_inputs(condition, [torch.zeros(1, 1, 4, 6)], spec.num_labels)
    assert channels.shape[1] == num_input_channels(spec, picture_channels=1) == 3 + instances + 2 + 1


def test_semantics_are_reduced_to_every_picture_s_size() -> None:
    condition = Condition(torch.tensor([[[0, 0, 1], [0, 1, 1], [1, 1, 0]]]), image=torch.arange(9.0).view(1, 1, 3, 3))
    pictures = torch.zeros(1, 3, 3, 3), torch.ones(1, 3, 2, 2)
    full, half = discriminator_inputs(condition, pictures, num_labels=2)
    assert torch.equal(full, *discriminator_inputs(condition, pictures[:1], num_labels=2))
    expected = [[[0.75, 0.0], [0.0, 1.0]], [[0.25, 1.0], [1.0, 0.0]], [[2.0, 3.5], [6.5, 8.0]], *[[[1.0] * 2] * 2] * 3]
    assert torch.equal(half, torch.tensor([expected]))
    with pytest.raises(InputError, match=r"expected 1 C 2 2"):
        discriminator_inputs(condition, [pictures[0], torch.zeros(1, 3, 1, 1)], num_labels=2)


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (2, 3, 4, 4)])
def test_a_picture_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    condition = Condition(image=torch.zeros(1, 1, 4, 4))
    with pytest.raises(InputError, match=r"expected 1 C 4 4"):
        discriminator_inputs(condition, [torch.zeros(shape)], num_labels=0)
