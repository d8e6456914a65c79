from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from full_size import millions_and_gmacs
from gradients import assert_reached, awake

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models.pan import PUBLISHED, Pan, PanConfig

TINY = PanConfig(image_channels=3, out_channels=3, width=2, num_downsamplings=4)
PICTURES = torch.linspace(-9, 9, 2 * 3 * 64 * 48).sin().view(2, 3, 64, 48)


def test_costs_what_its_layers_say() -> None:
    """Counted by hand, for the paper is not at hand: widths 64, 128, 256 and five times 512, from 256 pixels down to 2.

    3x3 convolutions down and out, 4x4 transposed ones up, which read what skips beside what comes from below.
    """
    w = (64, 128, 256, *[512] * 5)
    first = 9 * 3 * 64
    down = [9 * before * after for before, after in pairwise(w)]
    up = [16 * 512 * 512, *(16 * 2 * wide * above for wide, above in zip(w[6:0:-1], w[5::-1], strict=True))]
    last = 9 * 128 * 3
    # Biases where there is no norm: first, innermost and last; scale and shift where there is one.
    beside = 64 + 512 + 3 + 2 * sum(w[1:7]) + 2 * sum(w[:7])
    places = [4**level for level in range(1, 8)]
    # A transposed convolution multiplies each value that it reads.
    macs = 256 * 256 * (first + last) + sum(weights * places[-1 - i] for i, weights in enumerate(down))
    macs += sum(weights * places[i] for i, weights in enumerate(up))
    for published in PUBLISHED.values():
        assert millions_and_gmacs(published, Pan) == pytest.approx(
            ((first + sum(down) + sum(up) + last + beside) / 1e6, macs / 1e9), rel=1e-9
        )


@torch.no_grad()
def test_sizes_are_padded_by_repeating_the_border() -> None:
    generator = Pan(TINY).eval()
    condition = Condition(image=PICTURES[:, :, :37, :45])
    whole = generator(condition.padded(16)).image
    torch.testing.assert_close(generator(condition).image, whole[:, :, :37, :45])


@torch.no_grad()
def test_what_is_found_skips_over_what_lies_below() -> None:
    """Without it, a change of one pixel would be lost: below, nothing but zeros is made."""
    generator = Pan(TINY).eval()
    for up in generator.up:
        up[0].weight.zero_()
    changed = PICTURES.clone()
    changed[:, :, 20, 20] += 1
    images = [generator(Condition(image=picture)).image for picture in (PICTURES, changed)]
    difference = (images[0] - images[1]).abs().sum(dim=(0, 1))
    assert difference[20, 20] > 0
    assert difference.nonzero().sub(20).abs().max() <= 2


@pytest.mark.parametrize("size", [(64, 48), (16, 16)])
def test_gradients_reach_all_weights(size: tuple[int, int]) -> None:
    """Even where the innermost level is a single place."""
    torch.manual_seed(0)
    generator = awake(Pan(TINY))
    generator(Condition(image=PICTURES[:, :, : size[0], : size[1]])).image.square().sum().backward()
    assert_reached(generator)


@torch.no_grad()
def test_reads_labels_and_edges_too() -> None:
    generator = Pan(replace(TINY, num_labels=4, instance_edges=True)).eval()
    labels = torch.arange(4).repeat(2, 64, 12)
    image = generator(Condition(labels=labels, instances=labels, image=PICTURES)).image
    assert image.shape == (2, 3, 64, 48)
    with pytest.raises(InputError, match="a label map of 4 classes is needed"):
        generator(Condition(image=PICTURES))


@torch.no_grad()
def test_adopts_its_own_names_and_no_others() -> None:
    generator = Pan(TINY).eval()
    weights = generator.state_dict()
    image = adopt("pan", weights, TINY)(Condition(image=PICTURES)).image
    assert torch.equal(image, generator(Condition(image=PICTURES)).image)
    with pytest.raises(InputError, match="to_picture"):
        adopt("pan", {name.replace("to_picture", "last"): weight for name, weight in weights.items()}, TINY)


@pytest.mark.parametrize("fault", [{"width": 0}, {"num_downsamplings": 0}])
def test_impossible_configurations_are_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"pan: {next(iter(fault))} must be at least 1, got 0"):
        replace(TINY, **fault)
