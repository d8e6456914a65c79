from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.condition import Condition, ConditionSpec, PairedSample, stack, stack_conditions
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec


def sample(name: str = "a", size: tuple[int, int] = (6, 8), **parts: torch.Tensor) -> PairedSample:
    parts = parts or {"labels": torch.zeros(1, *size, dtype=torch.int32)}
    return PairedSample(Condition(**parts), torch.zeros(1, 3, *size), (name,))


def test_a_condition_knows_its_size_length_and_device():
    condition = Condition(image=torch.zeros(2, 3, 6, 8), latent=torch.zeros(2, 5))
    assert (condition.size, len(condition), condition.device) == ((6, 8), 2, torch.device("cpu"))


def test_a_condition_needs_a_plane():
    with pytest.raises(InputError, match="needs labels, instances or an image"):
        Condition(latent=torch.zeros(1, 4))


def test_planes_of_different_sizes_are_refused():
    with pytest.raises(InputError, match="differ in size"):
        Condition(labels=torch.zeros(1, 4, 4, dtype=torch.int32), image=torch.zeros(1, 3, 4, 5))


def test_parts_of_different_batch_sizes_are_refused():
    with pytest.raises(InputError, match="differ in batch size"):
        Condition(image=torch.zeros(2, 3, 4, 4), latent=torch.zeros(1, 4))


def test_style_keeps_its_own_size():
    padded = Condition(image=torch.zeros(1, 3, 5, 5), style=torch.zeros(1, 3, 7, 9)).padded(4)
    assert padded.size == (8, 8)
    assert padded.style.shape == (1, 3, 7, 9)


@given(height=st.integers(1, 20), width=st.integers(1, 20), multiple=st.integers(1, 9), least=st.integers(0, 4))
def test_padding_reaches_the_multiple_and_crops_back_exactly(height: int, width: int, multiple: int, least: int):
    planes = torch.arange(height * width).reshape(1, height, width)
    condition = Condition(labels=planes, image=planes[:, None].float())
    padded = condition.padded(multiple, minimum=max(1, least * multiple))
    assert all(side % multiple == 0 and side >= least * multiple for side in padded.size)
    assert torch.equal(padded.labels[:, :height, :width], condition.labels)
    assert torch.equal(padded.image[..., :height, :width], condition.image)
    assert torch.equal(padded.labels[:, None].float(), padded.image)


def test_padding_repeats_the_border_and_keeps_large_ids():
    ids = torch.tensor([[[2**24 + 1, 5]]], dtype=torch.int32)
    padded = Condition(instances=ids).padded(3).instances
    assert padded.dtype == torch.int32
    assert padded.tolist() == [[[2**24 + 1, 5, 5]] * 3]


def test_padding_what_fits_changes_nothing():
    condition = Condition(image=torch.zeros(1, 3, 8, 8))
    assert condition.padded(4) is condition


def test_a_target_of_another_size_is_refused_by_name():
    with pytest.raises(InputError, match="house 7: condition is 8x6, target is 9x6"):
        PairedSample(Condition(image=torch.zeros(1, 3, 6, 8)), torch.zeros(1, 3, 6, 9), ("house 7",))


def test_names_must_be_as_many_as_samples():
    with pytest.raises(InputError, match="2 names for 1 conditions and 1 targets"):
        PairedSample(Condition(image=torch.zeros(1, 3, 6, 8)), torch.zeros(1, 3, 6, 8), ("a", "b"))


def test_stacking_keeps_order_and_content():
    samples = [sample(name, image=torch.full((1, 3, 6, 8), value)) for name, value in (("a", 0.5), ("b", -0.5))]
    batch = stack(samples)
    assert (len(batch), batch.names) == (2, ("a", "b"))
    assert batch.condition.image[:, 0, 0, 0].tolist() == [0.5, -0.5]
    assert batch.condition.labels is None


def test_stacking_names_samples_of_different_sizes():
    with pytest.raises(InputError, match=r"'a': '8x6', 'b': '8x8'"):
        stack([sample("a"), sample("b", (8, 8))])


def test_stacking_nothing_is_refused():
    with pytest.raises(InputError, match="no samples"):
        stack([])


def test_stacking_different_parts_is_refused():
    plane = torch.zeros(1, 4, 4, dtype=torch.int32)
    with pytest.raises(InputError, match="instances: present in 1 of 2"):
        stack_conditions([Condition(labels=plane), Condition(labels=plane, instances=plane)])


@pytest.mark.parametrize(
    "spec",
    [
        ConditionSpec(labels=LabelSpec(("a", "b"), ignore_id=9), instances=True),
        ConditionSpec(image_channels=4, style=True),
    ],
)
def test_specs_survive_json(spec: ConditionSpec):
    assert ConditionSpec.from_json(spec.to_json()) == spec


def test_number_of_labels_counts_dont_care():
    assert ConditionSpec(labels=LabelSpec(("a", "b"), ignore_id=9)).num_labels == 3
    assert ConditionSpec(image_channels=3).num_labels == 0


@pytest.mark.parametrize("content", [
    {}, {"labels": None, "mood": "blue"}, {"labels": None, "image_channels": "3"}, {"labels": None, "instances": "no"},
    {"labels": None, "image_channels": -1},
])  # fmt: skip
def test_specs_with_missing_unknown_or_unfit_fields_are_refused(content: dict):
    with pytest.raises(InputError, match="not a condition spec"):
        ConditionSpec.from_json(content)


def test_holes_stay_with_their_samples() -> None:
    first, second = (
        PairedSample(Condition(image=torch.zeros(1, 1, 2, 2)), torch.zeros(1, 1, 2, 2), (name,), valid)
        for name, valid in (("a", torch.ones(1, 1, 2, 2) > 0), ("b", torch.zeros(1, 1, 2, 2) > 0))
    )
    both = stack([first, second])
    assert both.valid.flatten(1).all(1).tolist() == [True, False]
    assert not both[1:].valid.any()
    assert both.to("cpu").valid.shape == (2, 1, 2, 2)
    with pytest.raises(InputError, match="valid: present in 1 of 2 samples of one batch"):
        stack([first, replace(second, valid=None)])
