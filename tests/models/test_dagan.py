from dataclasses import replace

import pytest
import torch
from full_size import millions_and_gmacs
from gradients import assert_reached, awake
from recorded import RECORDED_CONFIGS, TOLERANCE, recorded, recorded_condition

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models.dagan import PUBLISHED, Dagan, DaganConfig

TINY = DaganConfig(num_labels=4, out_channels=3, width=2)


@torch.no_grad()
def test_conformance() -> None:
    arrays, weights = recorded("dagan")
    image = adopt("dagan", weights, RECORDED_CONFIGS["dagan"])(recorded_condition(arrays)).image
    torch.testing.assert_close(image, arrays["out/image"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(("name", "millions", "gmacs"), [("ade20k", 96.6, 186.1), ("cityscapes", 93.1, 291.2)])
def test_costs_what_the_paper_says(name: str, millions: float, gmacs: float) -> None:
    """Tan et al., TPAMI 2021, Table I."""
    assert millions_and_gmacs(PUBLISHED[name], Dagan) == pytest.approx((millions, gmacs), rel=0.01)


@torch.no_grad()
def test_any_size_even_after_another() -> None:
    generator = Dagan(replace(TINY, num_upsamplings=6)).eval()
    for height, width in ((64, 128), (37, 70), (1, 1)):
        image = generator(Condition(labels=torch.zeros(1, height, width, dtype=torch.int64))).image
        assert image.shape == (1, 3, height, width)


def test_gradients_reach_all_weights() -> None:
    torch.manual_seed(0)
    # Of half the width the attention has a single unit, which may be at rest.
    generator = awake(Dagan(replace(TINY, width=4)))
    generator(Condition(labels=torch.arange(4).repeat(2, 40, 12))).image.square().sum().backward()
    assert_reached(generator)


def test_most_upsamplings_do_not_exist_here() -> None:
    with pytest.raises(InputError, match=r"num_upsamplings 5 or 6, got 'batch' and 7"):
        replace(TINY, num_upsamplings=7)
