from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gradients import assert_reached
from tiny_bank import LABELS, LAYOUTS, NAMES, PHOTOS, SIZE, layout, tiny_bank, write_tiny_bank

from pixelwise.condition import Condition, PairedSample
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.losses.ordering import ordering
from pixelwise.metrics.complexity import count_macs, num_parameters
from pixelwise.models.sims import FAMILY, Sims, SimsConfig
from pixelwise.models.sims_bank import Bank
from pixelwise.models.sims_canvas import compose
from pixelwise.models.sims_ordering import OrderingNetwork, coverings
from pixelwise.models.sims_rehearsal import rehearse, transferred
from pixelwise.models.sims_segments import Segment, components, cut

TINY = SimsConfig(num_labels=4, out_channels=3, width=4, max_width=8, num_reductions=3, ordering_width=2)
GIVEN = Condition(labels=torch.from_numpy(np.stack([layout(), layout(top=15, left=33)])))


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return tiny_bank(tmp_path / "bank.safetensors")


@pytest.fixture
def generator(bank: Bank) -> Sims:
    torch.manual_seed(0)
    generator = Sims(TINY).eval()
    generator.remember(bank)
    return generator


def segments_of(labels: np.ndarray) -> list[Segment]:
    return cut(labels, components(labels))


@torch.no_grad()
def test_the_canvas_of_a_layout_that_is_in_the_bank_is_its_photo(generator: Sims) -> None:
    assert GIVEN.labels is not None
    canvas = generator.compose(GIVEN.labels)[0]
    known = canvas[3] > 0
    assert 0.8 < known.float().mean() < 1
    photo = torch.from_numpy(PHOTOS[0]).movedim(-1, 0) / 127.5 - 1
    torch.testing.assert_close(canvas[:3, known], photo[:, known], atol=1e-4, rtol=0)
    assert not canvas[:, ~known].any()


@torch.no_grad()
def test_a_class_that_the_bank_lacks_stays_unknown(generator: Sims) -> None:
    labels = torch.from_numpy(layout())[None]
    canvas = generator.compose(labels.where(labels != 1, 3))
    assert not canvas[0, :, 12:20, 16:30].any()


@torch.no_grad()
def test_the_higher_segment_is_in_front(generator: Sims, monkeypatch: pytest.MonkeyPatch) -> None:
    heights = {0: 0.0, 1: 1.0, 2: 2.0}
    orders = []

    def composed(pieces: list, size: tuple[int, int], channels: int, elided: int) -> np.ndarray:
        orders.append([piece.place for piece in pieces])
        return compose(pieces, size, channels, elided)

    monkeypatch.setattr("pixelwise.models.sims.compose", composed)
    labels = torch.from_numpy(LAYOUTS[0])[None]
    for sign in (1, -1):
        monkeypatch.setattr(
            generator.ordering,
            "forward",
            lambda segments, size, sign=sign: torch.tensor([sign * heights[segment.label] for segment in segments]),
        )
        generator.compose(labels)
    assert orders[0] == orders[1][::-1]
    assert orders[0][0] == (slice(0, 34), slice(0, 60))


@torch.no_grad()
def test_any_size_even_after_another(generator: Sims) -> None:
    first = generator(GIVEN).image
    assert first.shape == (2, 3, *SIZE)
    assert first.std() > 1e-3
    for height, width in ((7, 9), (1, 1), (33, 20)):
        assert GIVEN.labels is not None
        part = Condition(labels=GIVEN.labels[:, :height, :width])
        assert generator(part).image.shape == (2, 3, height, width)
    assert torch.equal(generator(GIVEN).image, first)


@torch.no_grad()
def test_a_canvas_that_is_given_is_used(generator: Sims) -> None:
    assert GIVEN.labels is not None
    canvas = generator.compose(GIVEN.labels)
    forgetful = Sims(TINY).eval()
    forgetful.load_state_dict(generator.state_dict())
    torch.testing.assert_close(forgetful(replace(GIVEN, image=canvas)).image, generator(GIVEN).image)
    assert not torch.allclose(forgetful(replace(GIVEN, image=-canvas)).image, generator(GIVEN).image)


def test_gradients_are_finite_and_reach_every_weight(bank: Bank) -> None:
    torch.manual_seed(0)
    generator = Sims(TINY).train()
    target = torch.from_numpy(np.stack(PHOTOS[:2])).movedim(-1, 1) / 127.5 - 1
    sample = rehearse(bank, 1, PairedSample(GIVEN, target, NAMES[:2]), torch.Generator().manual_seed(0))
    translation = generator(sample.condition)
    assert translation.ordering is not None
    (translation.image.square().mean() + ordering(*translation.ordering)).backward()
    assert_reached(generator)


def test_only_training_looks_at_the_order(generator: Sims) -> None:
    assert generator(GIVEN).ordering is None
    assert generator.train()(GIVEN).ordering is not None


def test_a_layout_of_one_segment_has_nothing_to_order(generator: Sims) -> None:
    for labels in (torch.zeros(1, 8, 8, dtype=torch.int32), torch.zeros(1, 2, 2, dtype=torch.int32)):
        found = generator.train()(Condition(labels=labels)).ordering
        assert found is not None
        assert ordering(*found) == 0


def test_who_covers_whom_is_seen_in_a_layout() -> None:
    segments = segments_of(layout())
    pairs, shares = coverings(segments, SIZE)
    assert [tuple(segments[place].label for place in pair) for pair in pairs] == [(0, 1)]
    # The block of 225 pixels lies in the other's hull, and nothing of the other in its own.
    assert shares.tolist() == [0.0]
    with_bay = layout()
    with_bay[13:15, 10:18] = 0
    _, shares = coverings(segments_of(with_bay), SIZE)
    assert shares.tolist() == [pytest.approx(16 / 225)]


def test_the_ordering_network_learns_who_covers_whom() -> None:
    torch.manual_seed(0)
    network = OrderingNetwork(4, 4)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    segments = segments_of(layout())
    pairs, shares = coverings(segments, SIZE)
    for _ in range(20):
        heights = network(segments, SIZE)
        loss = ordering(heights[pairs[:, 0]] - heights[pairs[:, 1]], torch.from_numpy(shares))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    back, front, _ = network(segments, SIZE).tolist()
    assert back < front


def rehearsed(bank: Bank, seed: int, name: str = "first") -> torch.Tensor:
    target = torch.from_numpy(PHOTOS[0]).movedim(-1, 0)[None] / 127.5 - 1
    condition = Condition(labels=torch.from_numpy(LAYOUTS[0])[None])
    sample = rehearse(bank, 1, PairedSample(condition, target, (name,)), torch.Generator().manual_seed(seed))
    assert torch.equal(sample.target, target)
    assert sample.condition.image is not None
    return sample.condition.image


def test_rehearsals_depend_on_the_seed_alone_and_have_holes(bank: Bank) -> None:
    first, again, other = (rehearsed(bank, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    for canvas in (first, other):
        known = canvas[:, 3] > 0
        assert 0.1 < known.float().mean() < 0.95
        assert not canvas.movedim(1, -1)[~known].any()
        assert canvas.abs().max() <= 1


def test_colours_take_on_the_look_of_others() -> None:
    random = np.random.default_rng(0)
    colours, looks = random.uniform(-0.2, 0.2, (500, 3)), random.uniform(0.1, 0.7, (300, 3))
    np.testing.assert_array_equal(transferred(colours, looks, 0), colours)
    changed = transferred(colours, looks, 1)
    np.testing.assert_allclose(changed.mean(axis=0), looks.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(changed.std(axis=0), looks.std(axis=0), rtol=0.15)


def test_parameters_and_macs_are_those_of_the_layers() -> None:
    config = SimsConfig(num_labels=35, out_channels=3)
    with torch.device("meta"):
        generator = Sims(config).eval()
        labels, canvas = torch.zeros(1, 256, 512, dtype=torch.long), torch.zeros(1, 4, 256, 512)
        macs_counted = count_macs(generator, Condition(labels=labels, image=canvas)).total
    widths = (64, 128, 256, 512, 512, 512, 512)
    before, below = (4 + 35, *widths[:-1]), (*widths[1:], 0)
    modules = [9 * wide * (first + wide) for first, wide in zip(before, widths, strict=True)]
    cascade = [9 * wide * (wide + more + 35 + wide) for wide, more in zip(widths, below, strict=True)]
    norms = 2 * 4 * sum(widths)
    assert num_parameters(generator.refinement) == sum(modules) + sum(cascade) + norms + 64 * 3 + 3
    pixels = [256 * 512 >> 2 * level for level in range(7)]
    macs = sum(count * (a + b) for count, a, b in zip(pixels, modules, cascade, strict=True)) + pixels[0] * 64 * 3
    assert macs_counted == macs


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image_channels": 3}, "reads label maps alone"),
        ({"instance_edges": True}, "reads label maps alone"),
        ({"num_labels": 256}, "at most 255 classes apart, got num_labels = 256"),
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"num_reductions": -1}, "0 or more, got -1 and 1"),
    ],
)
def test_configurations_that_cannot_be(fields: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(TINY, **fields)


def test_what_cannot_be_translated_is_refused(generator: Sims, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="num_labels = 0"):
        Sims(SimsConfig())
    with pytest.raises(InputError, match="a memory bank, which it has not been given"):
        Sims(TINY)(GIVEN)
    with pytest.raises(InputError, match=r"expected 0\.\.3"):
        generator(Condition(labels=torch.full((1, 8, 8), 4)))
    with pytest.raises(InputError, match="says where they are known, got 3 channels"):
        generator(replace(GIVEN, image=torch.zeros(2, 3, *SIZE)))
    other = Bank(write_tiny_bank(tmp_path / "other.safetensors", LabelSpec(("a", "b", "c", "d"), ignore_id=9)))
    with pytest.raises(InputError, match=r"other\.safetensors: a memory bank of 5 classes .* the model has 4 and 3"):
        generator.remember(other)
    assert FAMILY.memory is not None
    assert LABELS.num_channels == TINY.num_labels
