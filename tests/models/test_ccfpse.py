from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from full_size import millions_and_gmacs
from gradients import assert_reached, awake
from recorded import RECORDED_CONFIGS, TOLERANCE, recorded, recorded_condition

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.encoder import ImageEncoder
from pixelwise.metrics.complexity import num_parameters
from pixelwise.models.ccfpse import PUBLISHED, Ccfpse, CcfpseConfig, LayoutPyramid, convolve_by_place

TINY = CcfpseConfig(num_labels=4, out_channels=3, width=2)
LABELS = torch.arange(4).repeat(2, 40, 12)
PICTURE = torch.linspace(-1, 1, 2 * 3 * 40 * 48).view(2, 3, 40, 48)


@torch.no_grad()
def ready(config: CcfpseConfig) -> Ccfpse:
    """A generator that has seen a batch: predicted kernels multiply so often that fresh estimates of the weights' norms
    and of the features' statistics would let them overflow."""
    torch.manual_seed(0)
    generator = Ccfpse(config)
    generator(Condition(labels=LABELS))
    return generator.eval()


@torch.no_grad()
def test_conformance() -> None:
    arrays, weights = recorded("ccfpse")
    image = adopt("ccfpse", weights, RECORDED_CONFIGS["ccfpse"])(recorded_condition(arrays)).image
    torch.testing.assert_close(image, arrays["out/image"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("name", "millions", "gmacs"),
    [("ade20k", 140.7, 438.2), ("coco_stuff", 141.9, 456.1), ("cityscapes", 128.1, 739.2)],
)
def test_costs_what_the_paper_says(name: str, millions: float, gmacs: float) -> None:
    """Tan et al., TPAMI 2021, Table I, which leaves out the encoder: the style is drawn there."""
    parameters, macs = millions_and_gmacs(PUBLISHED[name], Ccfpse)
    with torch.device("meta"):
        encoder = num_parameters(ImageEncoder(64)) / 1e6
    assert (parameters - encoder, macs) == pytest.approx((millions, gmacs), rel=0.01)


def unfolded(x: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    patches = F.unfold(x, 3, padding=1).unflatten(1, (-1, 9)).unflatten(3, x.shape[-2:])
    return (patches * kernels.unflatten(1, (-1, 9))).sum(dim=2)


def test_convolution_by_place_and_its_gradients_equal_those_of_the_definition() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64, requires_grad=True)
    kernels = torch.randn(2, 27, 5, 7, dtype=torch.float64, requires_grad=True)
    outputs = convolve_by_place(x, kernels), unfolded(x, kernels)
    torch.testing.assert_close(*outputs)
    weights = torch.randn_like(x)
    gradients = [torch.autograd.grad((output * weights).sum(), (x, kernels)) for output in outputs]
    torch.testing.assert_close(*gradients)


def test_the_same_kernel_everywhere_is_a_plain_convolution() -> None:
    torch.manual_seed(0)
    x, kernel = torch.randn(1, 2, 4, 4), torch.randn(2, 1, 3, 3)
    everywhere = kernel.view(1, 18, 1, 1).expand(1, 18, 4, 4)
    torch.testing.assert_close(convolve_by_place(x, everywhere), F.conv2d(x, kernel, padding=1, groups=2))


@torch.no_grad()
def test_fine_features_know_what_is_far_away() -> None:
    torch.manual_seed(0)
    pyramid = LayoutPyramid(3, 4, num_levels=6).eval()
    planes = torch.randn(1, 3, 64, 96)
    changed = planes.clone()
    changed[..., -1] += 1
    before, after = pyramid(planes), pyramid(changed)
    assert [tuple(level.shape[1:]) for level in before] == [(4, 2 << n, 3 << n) for n in range(6)]
    # At full resolution alone, an encoder's 3 x 3 convolution would carry the change one pixel far.
    assert not torch.equal(before[-1][..., :48], after[-1][..., :48])


@pytest.mark.parametrize("num_upsamplings", [5, 6])
@torch.no_grad()
def test_any_size_even_after_another(num_upsamplings: int) -> None:
    generator = ready(replace(TINY, num_upsamplings=num_upsamplings))
    for height, width in ((64, 32), (37, 70), (1, 1)):
        image = generator(Condition(labels=torch.zeros(1, height, width, dtype=torch.int64))).image
        assert image.shape == (1, 3, height, width)
        assert image.isfinite().all()


@torch.no_grad()
def test_pictures_of_a_batch_do_not_see_each_other() -> None:
    generator = ready(TINY)
    labels = torch.stack([LABELS[0], LABELS[0].flip(1)])
    together = generator(Condition(labels=labels)).image
    alone = [generator(Condition(labels=one[None])).image for one in labels]
    torch.testing.assert_close(together, torch.cat(alone))
    assert not torch.equal(together[0], together[1])


@torch.no_grad()
def test_a_style_may_be_drawn_given_or_found_in_a_picture() -> None:
    generator = ready(replace(TINY, style=True, size=(64, 64)))
    plain = Condition(labels=LABELS)
    assert not torch.equal(generator(plain).image, generator(plain).image)
    found = generator(replace(plain, style=PICTURE))
    assert found.posterior is not None
    given = generator(replace(plain, latent=found.posterior[0]))
    torch.testing.assert_close(given.image, found.image)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_gradients_reach_all_weights(precision: torch.dtype) -> None:
    torch.manual_seed(0)
    generator = awake(Ccfpse(TINY))
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        image = generator(Condition(labels=LABELS)).image
    image.float().square().sum().backward()
    assert_reached(generator)


def test_pictures_as_input() -> None:
    generator = Ccfpse(CcfpseConfig(image_channels=3, out_channels=1, width=2)).eval()
    assert generator(Condition(image=PICTURE)).image.shape == (2, 1, 40, 48)


def test_most_upsamplings_do_not_exist_here() -> None:
    with pytest.raises(InputError, match="ccfpse: num_upsamplings must be 5 or 6, got 7"):
        replace(TINY, num_upsamplings=7)


def test_a_missing_label_map_is_named() -> None:
    with pytest.raises(InputError, match="a label map of 4 classes is needed"):
        Ccfpse(TINY)(Condition(image=PICTURE))
