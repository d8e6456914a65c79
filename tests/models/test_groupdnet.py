from dataclasses import replace

import pytest
import torch
from full_size import millions_and_gmacs
from gradients import assert_reached, awake
from recorded import TOLERANCE, recorded

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulation import ClassModulation
from pixelwise.models import groupdnet
from pixelwise.models.family import Published
from pixelwise.models.groupdnet import PUBLISHED, GroupDNet, GroupDNetConfig, latent_map
from pixelwise.models.groupdnet_encoder import LATENT, ClassEncoder, class_crops

TINY = GroupDNetConfig(
    num_labels=4, out_channels=3, widths=(16, 16, 16, 16, 8, 8, 8, 8), groups=(0, 0, 4, 4, 2, 2, 1), encoder_width=2,
    size=(64, 128),
)  # fmt: skip
CLADE = replace(TINY, class_modulation=True)
LABELS = torch.arange(4).repeat_interleave(32).repeat(2, 64, 1)
DEEPFASHION = PUBLISHED["deepfashion"]


def styled(size: tuple[int, int] = (64, 128)) -> Condition:
    return Condition(labels=LABELS, style=torch.rand(2, 3, *size) * 2 - 1)


def narrow_deepfashion() -> GroupDNetConfig:
    assert isinstance(DEEPFASHION.config, GroupDNetConfig)
    return replace(DEEPFASHION.config, widths=(128, 128, 128, 128, 64, 32, 16, 8), encoder_width=2)


@torch.no_grad()
def test_conformance() -> None:
    arrays, weights = recorded("groupdnet")
    generator = adopt("groupdnet", weights, narrow_deepfashion())
    labels, style = arrays["in/label"][:, 0].int(), arrays["in/image"]
    crops = class_crops(style, Layout(labels, 8), (256, 256))
    torch.testing.assert_close(crops[:, :, ::16, ::16], arrays["out/class_crops_sub"], atol=0, rtol=0)
    mean, log_variance = generator(Condition(labels=labels, style=style)).posterior
    torch.testing.assert_close(mean, arrays["out/mu"].flatten(1), atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(log_variance, arrays["out/logvar"].flatten(1), atol=TOLERANCE, rtol=0)
    image = generator(Condition(labels=labels, latent=arrays["out/z"].flatten(1))).image
    torch.testing.assert_close(image, arrays["out/image"], atol=TOLERANCE, rtol=0)


def test_a_published_block_that_is_unused_is_left_out() -> None:
    """The one of ADE20k's generator."""
    renamed = groupdnet.adopt({"netG.up_4.conv_0.bias": torch.zeros(1), "netG.fc.bias": torch.ones(1)}, TINY)
    assert list(renamed) == ["start.convolution.bias"]


def without_encoder(name: str) -> Published:
    """As the paper counts."""
    return replace(PUBLISHED[name], config=replace(PUBLISHED[name].config, encoder_width=0))  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("name", "millions", "gmacs"),
    [("celebamask_hq", 145.3, 225.5), ("deepfashion", 96.3, 291.6), ("cityscapes", 76.5, 463.6)],
)
def test_costs_what_the_paper_says(name: str, millions: float, gmacs: float) -> None:
    """Tan et al., TPAMI 2021, Table VIII."""
    found_millions, found_gmacs = millions_and_gmacs(without_encoder(name), GroupDNet)
    assert found_millions == pytest.approx(millions, abs=0.05)
    assert found_gmacs == pytest.approx(gmacs, rel=0.003)


@pytest.mark.parametrize(
    ("name", "millions", "gmacs", "table_millions"),
    [
        ("celebamask_hq", 134.6, 213.6, 1.98),
        ("deepfashion", 79.2, 118.5, 0.44),
        ("cityscapes", 57.7, 434.6, 3.35),
    ],
)
def test_clade_costs_what_the_paper_says(name: str, millions: float, gmacs: float, table_millions: float) -> None:
    """Tan et al., TPAMI 2021, Table VIII, which leaves out the class tables, up to 5.8 % of all parameters."""
    published = without_encoder(f"{name}_clade")
    found_millions, found_gmacs = millions_and_gmacs(published, GroupDNet)
    assert found_millions == pytest.approx(millions + table_millions, abs=0.06)
    assert found_gmacs == pytest.approx(gmacs, rel=0.003)
    with torch.device("meta"):
        tables = [norm for norm in GroupDNet(published.config).modules() if isinstance(norm, ClassModulation)]
    assert sum(2 * norm.gamma.numel() for norm in tables) / 1e6 == pytest.approx(table_millions, abs=0.005)


@pytest.mark.parametrize("num_labels", [1, 2, 35])
def test_the_defaults_suit_any_number_of_classes(num_labels: int) -> None:
    with torch.device("meta"):
        generator = GroupDNet(GroupDNetConfig(num_labels=num_labels, out_channels=3)).eval()
        labels = torch.zeros(1, 64, 128, dtype=torch.int64)
        condition = Condition(labels=labels, style=torch.zeros(1, 3, 64, 128))
        assert generator(condition).image.shape == (1, 3, 64, 128)


def test_crops_are_tight_and_stretched() -> None:
    labels = torch.zeros(1, 16, 24, dtype=torch.int64)
    labels[0, 4:8, 6:14] = 2
    labels[0, 5, 7] = 1
    picture = torch.rand(1, 3, 16, 24) + 0.1
    whole, dot, box, absent = class_crops(picture, Layout(labels, 4), (8, 16)).unflatten(1, (4, 3))[0]
    torch.testing.assert_close(dot, picture[0, :, 5:6, 7:8].expand(3, 8, 16))
    expected = torch.where(labels[:, 4:8, 6:14] == 2, picture[0, :, 4:8, 6:14], 0)
    torch.testing.assert_close(box, expected.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2))
    assert (absent == 0).all()
    assert (whole[:, 0] > 0).all()
    assert (whole[:, 3, 8] == 0).all()


@torch.no_grad()
def test_the_encoder_does_not_mix_classes() -> None:
    torch.manual_seed(0)
    encoder, layout = ClassEncoder(4, 2, (64, 128)), Layout(LABELS, 4)
    picture = torch.rand(2, 3, 64, 128)
    other = torch.where(LABELS[:, None] == 2, torch.rand_like(picture), picture)
    before, after = (encoder.eval()(x, layout)[0].unflatten(1, (4, LATENT)) for x in (picture, other))
    assert [torch.equal(before[:, label], after[:, label]) for label in range(4)] == [True, True, False, True]


@torch.no_grad()
def test_a_class_has_its_own_part_of_the_latent() -> None:
    generator = GroupDNet(TINY).eval()
    latent = torch.randn(2, 4 * LATENT * 2)
    redrawn = latent.clone()
    redrawn.view(2, 4, -1)[:, 1].normal_()
    before, after = (latent_map(part, TINY).unflatten(1, (4, LATENT)) for part in (latent, redrawn))
    assert [torch.equal(before[:, label], after[:, label]) for label in range(4)] == [True, False, True, True]
    images = [generator(Condition(labels=LABELS, latent=part)).image for part in (latent, redrawn)]
    assert not torch.equal(*images)


@torch.no_grad()
def test_styles_are_found_drawn_or_given() -> None:
    generator = GroupDNet(TINY).eval()
    translation = generator(styled())
    assert translation.posterior is not None
    mean, log_variance = translation.posterior
    assert mean.shape == log_variance.shape == (2, 4 * LATENT * 2)
    given = generator(Condition(labels=LABELS, latent=mean))
    assert given.posterior is None
    torch.testing.assert_close(given.image, translation.image, atol=0, rtol=0)
    without = [generator(Condition(labels=LABELS)).image for _ in range(2)]
    assert not torch.equal(*without)
    generator.train()
    assert not torch.equal(generator(styled()).image, generator(styled()).image)


@torch.no_grad()
def test_edges_stand_behind_every_class() -> None:
    edges = torch.rand(2, 1, 64, 128)
    planes = groupdnet._planes_by_class(Layout(LABELS, 4, edges=edges))
    assert planes.shape == (2, 8, 64, 128)
    for label in range(4):
        assert torch.equal(planes[:, 2 * label], (label == LABELS).float())
        assert torch.equal(planes[:, 2 * label + 1], edges[:, 0])
    labels = torch.randint(4, (1, 64, 64))
    generator = GroupDNet(replace(TINY, instance_edges=True)).eval()
    latent = torch.zeros(1, 4 * LATENT * 2)
    pictures = [
        generator(Condition(labels=labels, instances=instances, latent=latent)).image
        for instances in (labels, torch.zeros_like(labels))
    ]
    assert not torch.equal(*pictures)


def test_the_layout_for_many_classes_can_be_built() -> None:
    """ADE20k's: first as wide as there are classes, then as SPADE; groups of the convolutions differ."""
    classes, width, groups = 5, 16, (5, 4, 4, 2, 2, 2, 1)
    widths = (16 * classes, 16 * classes, *(width * factor for factor in (32, 16, 16, 8, 4, 2)))
    config = GroupDNetConfig(
        num_labels=classes,
        out_channels=3,
        widths=widths,
        groups=groups,
        modulation_groups=groups,
        hidden=tuple(classes * (count if classes % count else 2) for count in groups),
    )
    with torch.device("meta"):
        weights = GroupDNet(config).state_dict()
    assert weights["decoder.blocks.2.conv_0.weight_orig"].shape == (256, 512 // 4, 3, 3)
    assert weights["decoder.blocks.0.norm_0.shared.weight"].shape == (10, 1, 3, 3)
    assert weights["decoder.blocks.1.norm_0.gamma.weight"].shape == (80, 20 // 4, 3, 3)
    assert weights["decoder.to_image.weight"].shape == (3, 32, 3, 3)


@pytest.mark.parametrize("config", [TINY, CLADE])
@torch.no_grad()
def test_any_size_even_after_another(config: GroupDNetConfig) -> None:
    generator = GroupDNet(config).eval()
    for height, width in ((128, 64), (37, 70), (1, 1)):
        labels = torch.randint(4, (1, height, width))
        condition = Condition(labels=labels, style=torch.rand(1, 3, 50, 30))
        picture = generator(condition).image
        assert picture.shape == (1, 3, height, width)
        latent = generator(condition).posterior[0]
        padded = generator(replace(condition.padded(64), latent=latent)).image
        torch.testing.assert_close(picture, padded[:, :, :height, :width])


@pytest.mark.parametrize("config", [TINY, CLADE])
def test_gradients_reach_all_weights(config: GroupDNetConfig) -> None:
    torch.manual_seed(0)
    generator = awake(GroupDNet(config))
    generator(styled()).image.square().sum().backward()
    assert_reached(generator)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_channels": 3}, "groupdnet reads label maps, not pictures of 3 channels"),
        ({"groups": (1, 2)}, r"groups must be 7 numbers, got \(1, 2\)"),
        ({"widths": (64,)}, r"widths must be 8 numbers or none, got \(64,\)"),
        ({"size": (64, 100)}, r"size must be two multiples of 64, got \(64, 100\)"),
        ({"size": (64, 64), "encoder_width": 1}, "an encoder needs a size above 64 x 64"),
        ({"class_modulation": True, "instance_edges": True}, "reads no instance edges"),
        ({"num_labels": 0}, "needs label maps"),
        ({"num_labels": 3}, "16 channels cannot be dealt evenly to 3 classes"),
        ({"groups": (4, 4, 3, 1, 1, 1, 1)}, "16 channels cannot be dealt evenly to 3 groups"),
        ({"hidden": (6,) * 7}, "6 channels cannot be dealt evenly to 4 label_groups"),
        ({"modulation_groups": (5,) * 7}, "16 channels cannot be dealt evenly to 5 modulation_groups"),
    ],
)
def test_an_impossible_configuration_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        GroupDNet(replace(TINY, **change))


@torch.no_grad()
def test_what_is_missing_or_does_not_fit_is_refused() -> None:
    generator = GroupDNet(replace(TINY, encoder_width=0)).eval()
    with pytest.raises(InputError, match="no encoder"):
        generator(styled())
    with pytest.raises(InputError, match=r"32x1x2 numbers in one row, the latent has \(65,\)"):
        generator(Condition(labels=LABELS, latent=torch.zeros(2, 65)))
    with pytest.raises(InputError, match="a label map of 4 classes is needed"):
        generator(Condition(image=torch.zeros(1, 3, 64, 64)))
