from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from full_size import millions_and_gmacs
from gradients import assert_reached, awake
from torch import Tensor

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.labels import one_hot
from pixelwise.losses.objective import generator_terms
from pixelwise.models.crn import FAMILY, PUBLISHED, Crn, CrnConfig

TINY = CrnConfig(num_labels=4, out_channels=3, widths=(6, 5, 4))
SEVERAL = replace(TINY, num_variants=3)
LABELS = torch.arange(4).repeat_interleave(5).repeat(2, 16, 1)[:, :, :16]
PICTURES = torch.linspace(-9, 9, 2 * 3 * 16 * 16).sin().view(2, 3, 16, 16)


@pytest.mark.parametrize(
    ("name", "millions", "gmacs"),
    [
        ("cityscapes256x512", 97.863171, 1073.370759168),
        ("cityscapes512x1024", 98.622851, 1471.997411328),
        ("cityscapes1024x2048", 98.674531, 1580.713771008),
    ],
)
def test_costs_what_the_layers_of_the_notes_say(name: str, millions: float, gmacs: float) -> None:
    """Counted by hand: module i of width w has 9 (w' + 20) w + 9 w² weights, w' of the one before, at 32 * 4^i places,
    and 4 w of its two norms; the last convolution 3 w + 3."""
    assert millions_and_gmacs(PUBLISHED[name], Crn) == pytest.approx((millions, gmacs), rel=1e-9)


def published_names(config: CrnConfig) -> dict[str, Tensor]:
    """Random weights as TensorFlow has them."""
    torch.manual_seed(0)
    weights, before = {}, config.num_labels
    for module, width in enumerate(config.widths):
        for convolution, in_channels in (("conv1", before), ("conv2", width)):
            scope = f"g_{4 << module}_{convolution}"
            weights[f"{scope}/weights"] = torch.randn(3, 3, in_channels, width)
            weights[f"{scope}/LayerNorm/gamma"] = torch.rand(width) + 0.5
            weights[f"{scope}/LayerNorm/beta"] = torch.randn(width)
        before = width + config.num_labels
    pictures = config.out_channels * config.num_variants
    scope = f"g_{4 << (len(config.widths) - 1)}_conv100"
    weights |= {f"{scope}/weights": torch.randn(1, 1, width, pictures), f"{scope}/biases": torch.randn(pictures)}
    return weights


def drawn_by_hand(weights: dict[str, Tensor], rows: int, layout: Tensor) -> Tensor:
    """The features of the module of so many rows, as the public notes say it: from the published names."""
    read = layout
    if rows > 4:
        halves = F.interpolate(layout, scale_factor=0.5, mode="area")
        before = drawn_by_hand(weights, rows // 2, halves)
        larger = F.interpolate(before, layout.shape[-2:], mode="bilinear", align_corners=True)
        read = torch.cat([larger, layout], dim=1)
    for scope in (f"g_{rows}_conv1", f"g_{rows}_conv2"):
        x = F.conv2d(read, weights[f"{scope}/weights"].permute(3, 2, 0, 1), padding=1)
        variance, mean = torch.var_mean(x, dim=(1, 2, 3), correction=0, keepdim=True)
        scale, shift = (weights[f"{scope}/LayerNorm/{part}"][:, None, None] for part in ("gamma", "beta"))
        x = (x - mean) / variance.sqrt() * scale + shift
        read = torch.where(x > 0, x, 0.2 * x)
    return read


@pytest.mark.parametrize("suffix", ["", ":0"])
@torch.no_grad()
def test_published_names_make_the_network_of_the_notes(suffix: str) -> None:
    weights = published_names(SEVERAL)
    exported = {f"{name}{suffix}": weight.numpy() for name, weight in weights.items()}
    optimisers_own = {"beta1_power": torch.zeros(()), "g_4_conv1/weights/Adam_1": torch.zeros(3, 3, 4, 6)}
    translation = adopt("crn", {**exported, **optimisers_own}, SEVERAL)(Condition(labels=LABELS))
    features = drawn_by_hand(weights, 16, one_hot(LABELS, 4))
    pictures = torch.einsum("bchw,co->bohw", features, weights["g_16_conv100/weights"][0, 0])
    pictures += weights["g_16_conv100/biases"][:, None, None]
    assert translation.variants is not None
    for variant in range(3):
        # Red of all pictures first, then green, then blue.
        torch.testing.assert_close(translation.variants[:, variant], pictures[:, variant::3], atol=1e-4, rtol=1e-4)


def test_other_names_are_refused() -> None:
    weights = {name.replace("g_4_", "g_5_"): weight for name, weight in published_names(TINY).items()}
    with pytest.raises(InputError, match="g_5_conv1/weights"):
        adopt("crn", weights, TINY)


@pytest.mark.parametrize("config", [TINY, SEVERAL], ids=["one", "several"])
@torch.no_grad()
def test_any_size_even_after_another(config: CrnConfig) -> None:
    generator = Crn(config).eval()
    first = generator(Condition(labels=LABELS)).image
    for height, width in ((32, 16), (13, 15), (1, 1)):
        translation = generator(Condition(labels=torch.randint(4, (1, height, width))))
        assert translation.image.shape == (1, 3, height, width)
        if config is SEVERAL:
            assert translation.variants.shape == (1, 3, 3, height, width)
            assert translation.regions.shape == (1, 4, height, width)
    assert torch.equal(generator(Condition(labels=LABELS)).image, first)


@torch.no_grad()
def test_sizes_are_padded_by_repeating_the_border() -> None:
    generator = Crn(TINY).eval()
    condition = Condition(labels=LABELS[:, :13, :15])
    whole = generator(condition.padded(4)).image
    torch.testing.assert_close(generator(condition).image, whole[:, :, :13, :15])


@torch.no_grad()
def test_several_pictures_differ_and_the_image_is_the_first() -> None:
    translation = Crn(SEVERAL).eval()(Condition(labels=LABELS))
    assert translation.variants is not None
    assert torch.equal(translation.image, translation.variants[:, 0])
    pictures = translation.variants.unbind(1)
    assert not any(torch.equal(pictures[a], pictures[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert torch.equal(translation.regions, one_hot(LABELS, 4))
    for variant in range(3):
        assert torch.equal(translation.picture(variant), pictures[variant].clamp(-1, 1))
    assert torch.equal(translation.picture(), pictures[0].clamp(-1, 1))


def test_one_picture_is_not_several() -> None:
    translation = Crn(TINY)(Condition(labels=LABELS))
    assert translation.variants is None
    assert translation.regions is None


class Difference:
    """Stands for VGG19: the mean absolute difference of pixels."""

    def by_region(self, pictures: Tensor, target: Tensor, regions: Tensor) -> Tensor:
        differences = (pictures - target[:, None]).abs().mean(dim=2)
        return torch.einsum("bkhw,bphw->bkp", differences, regions) / target[0, 0].numel()


def test_each_class_learns_from_its_best_picture() -> None:
    """The second picture is given the target's left, the third its right: these are pulled, the first hardly is."""
    labels = (torch.arange(16) >= 8).long().repeat(1, 16, 1)
    translation = Crn(SEVERAL)(Condition(labels=labels))
    assert translation.variants is not None
    target = translation.variants[:, 1].detach().clone()
    target[..., 8:] = translation.variants[:, 2, ..., 8:].detach()
    variants = translation.variants.detach().clone() + 1e-3
    variants.requires_grad_()
    (term,) = generator_terms(
        FAMILY.objective, replace(translation, variants=variants), [target], perceptual=Difference()
    ).values()
    term.backward()
    assert variants.grad is not None
    pull = variants.grad.abs().unflatten(-1, (2, 8)).sum(dim=(0, 2, 3, 5))
    winners = torch.tensor([[False, False], [True, False], [False, True]])
    assert (pull[winners] > 100 * pull[~winners].max()).all()


@pytest.mark.parametrize("config", [TINY, SEVERAL], ids=["one", "several"])
def test_gradients_reach_all_weights(config: CrnConfig) -> None:
    torch.manual_seed(0)
    generator = awake(Crn(config))
    translation = generator(Condition(labels=LABELS))
    image = translation.image if translation.variants is None else translation.variants
    image.square().sum().backward()
    assert_reached(generator)


@torch.no_grad()
def test_pictures_and_edges_as_input() -> None:
    config = replace(SEVERAL, num_labels=0, image_channels=3, instance_edges=True)
    translation = Crn(config).eval()(Condition(image=PICTURES, instances=LABELS))
    assert translation.image.shape == (2, 3, 16, 16)
    assert translation.regions is None
    with pytest.raises(InputError, match="an instance map is needed"):
        Crn(config)(Condition(image=PICTURES))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"widths": ()}, r"widths must be one or more numbers of at least 2, got \(\)"),
        ({"widths": (4, 1)}, r"widths must be one or more numbers of at least 2, got \(4, 1\)"),
        ({"num_variants": 0}, "num_variants must be at least 1, got 0"),
    ],
)
def test_impossible_configurations_are_refused(fault: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(TINY, **fault)
