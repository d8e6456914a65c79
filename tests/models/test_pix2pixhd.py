from dataclasses import replace
from typing import Any

import pytest
import torch
from full_size import gmacs_with_zeros, millions_and_gmacs
from gradients import assert_reached, awake
from recorded import RECORDED_CONFIGS, TOLERANCE, recorded, recorded_condition
from torch import Tensor

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.discriminators.patch import PIX2PIX_HD, MultiscalePatchDiscriminator
from pixelwise.errors import InputError
from pixelwise.losses.objective import generator_terms
from pixelwise.models.family import Translation
from pixelwise.models.pix2pixhd import FAMILY, PUBLISHED, Pix2PixHd, Pix2PixHdConfig

TINY = Pix2PixHdConfig(
    num_labels=4, instance_edges=True, out_channels=3, width=2, num_downsamplings=2, num_blocks=1, num_enhancer_blocks=1
)
WITH_FEATURES = replace(TINY, num_features=2, encoder_width=2, encoder_num_downsamplings=1, num_styles=3)
# Four classes side by side, two instances one above the other: eight objects.
LABELS = torch.arange(4).repeat_interleave(12).repeat(2, 40, 1)
INSTANCES = torch.arange(40)[None, :, None].expand(2, 40, 48) // 20
CONDITION = Condition(labels=LABELS, instances=INSTANCES)
PICTURE = torch.linspace(-9, 9, 2 * 3 * 40 * 48).sin().view(2, 3, 40, 48)


@pytest.mark.parametrize("name", ["pix2pixhd_global", "pix2pixhd_local", "pix2pixhd_features"])
@torch.no_grad()
def test_conformance(name: str) -> None:
    arrays, weights = recorded(name)
    generator = adopt("pix2pixhd", weights, RECORDED_CONFIGS[name])
    condition = replace(recorded_condition(arrays), style=arrays.get("in/image"))
    torch.testing.assert_close(generator(condition).image, arrays["out/image"], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_features_conform() -> None:
    arrays, weights = recorded("pix2pixhd_features")
    generator = adopt("pix2pixhd", weights, RECORDED_CONFIGS["pix2pixhd_features"])
    assert isinstance(generator, Pix2PixHd)
    condition = replace(recorded_condition(arrays), style=arrays["in/image"])
    features = generator.encode(condition)
    torch.testing.assert_close(features, arrays["out/feat_map"], atol=TOLERANCE, rtol=0)
    given = generator.with_features(recorded_condition(arrays), features).image
    torch.testing.assert_close(given, arrays["out/image"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("name", "millions", "gmacs", "computed"),
    [
        ("ade20k", 182.9, 99.3, 84.8),
        ("coco_stuff", 183.0, 106.1, 91.6),
        ("cityscapes", 182.5, 151.3, 122.3),
    ],
)
def test_costs_what_the_paper_says(name: str, millions: float, gmacs: float, computed: float) -> None:
    """Tan et al., TPAMI 2021, Table I, which counts the zeros of transposed convolutions too. The last figure is what
    is computed, without them."""
    found, gmacs_found = millions_and_gmacs(PUBLISHED[name], Pix2PixHd)
    assert (found, gmacs_with_zeros(PUBLISHED[name], Pix2PixHd)) == pytest.approx((millions, gmacs), rel=0.01)
    assert gmacs_found == pytest.approx(computed, rel=0.01)


def test_published_enhancer_has_the_widths_of_the_global_generator() -> None:
    with torch.device("meta"):
        coarse, fine = (Pix2PixHd(PUBLISHED[name].config) for name in ("cityscapes", "cityscapes1024x2048"))  # type: ignore[arg-type]
    theirs, ours = ({name: weight.shape for name, weight in g.trunks[0].named_parameters()} for g in (coarse, fine))
    assert theirs == ours
    assert fine.size_multiple == 2 * coarse.size_multiple == 32


@pytest.mark.parametrize("change", [{}, {"num_enhancers": 1}, {"num_enhancers": 2, "norm": "batch"}])
@torch.no_grad()
def test_any_size_even_after_another(change: dict[str, Any]) -> None:
    generator = Pix2PixHd(replace(TINY, **change)).eval()
    first = generator(CONDITION).image
    assert first.shape == PICTURE.shape
    for height, width in ((37, 21), (1, 1), (5, 48)):
        part = CONDITION.map_planes(lambda plane, size=(height, width): plane[:, : size[0], : size[1]])  # type: ignore[misc]
        assert generator(part).image.shape == (2, 3, height, width)
    assert torch.equal(generator(CONDITION).image, first)


def test_gradients_reach_all_weights_the_encoder_s_too() -> None:
    torch.manual_seed(0)
    generator = awake(Pix2PixHd(replace(WITH_FEATURES, num_enhancers=1)))
    generator(replace(CONDITION, style=PICTURE)).image.square().sum().backward()
    assert_reached(generator)


def test_enhancer_may_learn_while_the_rest_holds_still() -> None:
    generator = Pix2PixHd(replace(TINY, num_enhancers=2))
    generator.requires_grad_(False)
    for weight in generator.enhancer_parameters():
        weight.requires_grad_(True)
    for name, weight in generator.named_parameters():
        assert weight.requires_grad == name.startswith(("trunks.2.", "to_picture.")), name
    generator(CONDITION).image.sum().backward()
    assert all(weight.grad is not None for weight in generator.enhancer_parameters())
    with pytest.raises(InputError, match="without local enhancers"):
        next(Pix2PixHd(TINY).enhancer_parameters())


@torch.no_grad()
def test_features_are_equal_within_an_instance() -> None:
    generator = Pix2PixHd(replace(WITH_FEATURES, encoder_num_downsamplings=3)).eval()
    features = generator.encode(replace(CONDITION, style=PICTURE))
    assert features.shape == (2, 2, 40, 48)
    for rows in (slice(0, 20), slice(20, 40)):
        torch.testing.assert_close(features[:, :, rows], features[:, :, rows, :1].mean(2, True).expand(-1, -1, 20, 48))
    assert not torch.equal(features[:, :, :20], features[:, :, 20:])


@torch.no_grad()
def test_without_a_style_picture_styles_are_drawn() -> None:
    generator = Pix2PixHd(WITH_FEATURES).eval()
    assert torch.equal(generator(CONDITION).image, generator(CONDITION).image)  # no styles are known yet
    generator.learn_styles([replace(CONDITION, style=PICTURE)])
    torch.manual_seed(0)
    drawn = generator(CONDITION).image
    torch.manual_seed(0)
    assert torch.equal(generator(CONDITION).image, drawn)
    assert any(not torch.equal(generator(CONDITION).image, drawn) for _ in range(3))


@torch.no_grad()
def test_styles_that_are_learned_are_those_of_the_objects() -> None:
    generator = Pix2PixHd(WITH_FEATURES).eval()
    condition = replace(CONDITION.map_planes(lambda plane: plane[:1, :, :24]), style=PICTURE[:1, :, :, :24])
    generator.learn_styles([condition])
    assert generator.styles is not None
    features = generator.encode(condition)
    expected = _sorted(torch.stack([features[0, :, 0, 0], features[0, :, 20, 0]]))
    for label in (0, 1):  # two objects each, three styles: one of them is there twice
        torch.testing.assert_close(_sorted(generator.styles.centres[label].unique(dim=0)), expected)
    assert not generator.styles.centres[2:].any()


def _sorted(points: Tensor) -> Tensor:
    return points[points[:, 0].argsort()]


@torch.no_grad()
def test_feature_matching_is_the_authors_own() -> None:
    """They weigh each layer by 4 / (layers + 1) and each scale by 1 / scales; what they call 3 layers are 4 here."""
    network = MultiscalePatchDiscriminator(replace(PIX2PIX_HD, width=2), in_channels=3)
    fake, real = network(PICTURE), network(PICTURE.flip(1))
    terms = generator_terms(FAMILY.objective, Translation(PICTURE), [PICTURE], fake, real)
    differences = [
        (fake_layer - real_layer).abs().mean()
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for fake_layer, real_layer in zip(fake_scale[:-1], real_scale[:-1], strict=True)
    ]
    expected = 10 * torch.stack(differences).sum() * 4 / (3 + 1) / len(fake)
    torch.testing.assert_close(terms["feature_matching"], expected)


def test_terms_weigh_as_in_equation_5() -> None:
    """Where the terms of three discriminators are summed, and the perceptual loss weighs 10 beside them."""
    assert FAMILY.discriminator_for(Pix2PixHdConfig()).num_scales == 3
    assert 3 * FAMILY.objective.perceptual == pytest.approx(10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width must be at least 1, got 0"),
        ({"num_enhancers": -1}, "num_enhancers must be at least 0, got -1"),
        ({"norm": "none"}, r"norm must be one of \('batch', 'instance'\), got 'none'"),
        ({"num_features": 3, "instance_edges": False}, "num_features needs instance_edges"),
    ],
)
def test_refuses_impossible_configurations(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(TINY, **change)


def test_refuses_conditions_that_lack_something() -> None:
    generator = Pix2PixHd(WITH_FEATURES)
    with pytest.raises(InputError, match="an instance map is needed"):
        generator(Condition(labels=LABELS))
    with pytest.raises(InputError, match="an instance map and a style picture"):
        generator.train()(CONDITION)
    with pytest.raises(InputError, match=r"\(40, 48\), got \(20, 48\)"):
        generator(replace(CONDITION, style=PICTURE[:, :, :20]))
    with pytest.raises(InputError, match=r"of shape \(2, 2, 40, 48\), got \(2, 3, 40, 48\)"):
        generator.with_features(CONDITION, PICTURE)
    with pytest.raises(InputError, match=r"expected 0\.\.3"):
        generator.eval()(replace(CONDITION, labels=LABELS + 1))
    with pytest.raises(InputError, match="no styles to learn"):
        Pix2PixHd(TINY).learn_styles([CONDITION])
    with pytest.raises(InputError, match="a label map and an instance map"):
        generator.learn_styles([Condition(instances=INSTANCES, style=PICTURE)])
