from dataclasses import replace

import pytest
import torch
from full_size import millions_and_gmacs
from gradients import assert_reached, awake
from recorded import RECORDED_CONFIGS, TOLERANCE, recorded, recorded_condition

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models.spade import PUBLISHED, Spade, SpadeConfig

TINY = SpadeConfig(num_labels=4, out_channels=3, width=2)
LABELS = torch.arange(4).repeat(2, 40, 12)
PICTURE = torch.linspace(-1, 1, 2 * 3 * 40 * 48).view(2, 3, 40, 48)


@torch.no_grad()
def test_conformance() -> None:
    arrays, weights = recorded("spade")
    image = adopt("spade", weights, RECORDED_CONFIGS["spade"])(recorded_condition(arrays)).image
    torch.testing.assert_close(image, arrays["out/image"], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_conformance_with_style() -> None:
    arrays, weights = recorded("spade_vae")
    generator = adopt("spade", weights, RECORDED_CONFIGS["spade_vae"])
    mean, log_variance = generator.start.encoder(arrays["in/image"])
    torch.testing.assert_close(mean, arrays["out/mu"], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(log_variance, arrays["out/logvar"], atol=TOLERANCE, rtol=0)
    latent = mean + arrays["in/eps"] * (log_variance / 2).exp()
    torch.testing.assert_close(latent, arrays["out/z"], atol=TOLERANCE, rtol=0)
    image = generator(recorded_condition(arrays, instances=False, latent=latent)).image
    torch.testing.assert_close(image, arrays["out/image"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("name", "millions", "gmacs"), [("ade20k", 96.5, 181.3), ("coco_stuff", 97.5, 191.3), ("cityscapes", 93.0, 281.5)]
)
def test_costs_what_the_paper_says(name: str, millions: float, gmacs: float) -> None:
    """Tan et al., TPAMI 2021, Table I."""
    assert millions_and_gmacs(PUBLISHED[name], Spade) == pytest.approx((millions, gmacs), rel=0.01)


def test_an_encoder_of_pictures_narrower_than_256_has_five_layers() -> None:
    """Published models for such pictures lack the sixth."""
    _, weights = recorded("spade_vae")
    narrow = {name: tensor for name, tensor in weights.items() if "netE.layer6" not in name}
    narrow |= {f"netE.fc_{name}.weight": torch.zeros(256, 8 * 8 * 8) for name in ("mu", "var")}
    narrow |= {"netG.fc.weight": torch.zeros(16 * 2 * 2, 256), "netG.fc.bias": torch.zeros(16 * 2 * 2)}
    generator = adopt("spade", narrow, replace(RECORDED_CONFIGS["spade_vae"], size=(128, 128)))
    assert len(generator.start.encoder.layers) == 5
    assert generator(Condition(labels=LABELS, style=PICTURE)).image.shape == (2, 3, 40, 48)


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("num_upsamplings", [5, 6, 7])
@torch.no_grad()
def test_any_size_even_after_another(num_upsamplings: int, norm: str) -> None:
    """A single place at the start is its own mean: nothing is left of it by an instance norm."""
    generator = Spade(replace(TINY, num_upsamplings=num_upsamplings, norm=norm)).eval()
    for height, width in ((64, 32), (37, 70), (1, 1)):
        image = generator(Condition(labels=torch.zeros(1, height, width, dtype=torch.int64))).image
        assert image.shape == (1, 3, height, width)


@torch.no_grad()
def test_a_style_may_be_drawn_given_or_found_in_a_picture() -> None:
    generator = Spade(replace(TINY, style=True, size=(64, 64))).eval()
    plain = Condition(labels=LABELS)
    torch.manual_seed(0)
    drawn = generator(plain).image
    assert not torch.equal(generator(plain).image, drawn)
    torch.manual_seed(0)
    assert torch.equal(generator(plain).image, drawn)

    found = generator(replace(plain, style=PICTURE))
    assert found.posterior is not None
    given = generator(replace(plain, latent=found.posterior[0]))
    assert given.posterior is None
    torch.testing.assert_close(given.image, found.image)

    with pytest.raises(InputError, match="a style has 256 numbers, the condition's latent 3"):
        generator(replace(plain, latent=torch.zeros(2, 3)))


def test_gradients_reach_all_weights_and_a_style_is_sampled_in_training() -> None:
    torch.manual_seed(0)
    generator = awake(Spade(replace(TINY, style=True, size=(64, 64))))
    condition = Condition(labels=LABELS, style=PICTURE)
    translation = generator(condition)
    assert not torch.equal(generator(condition).image, translation.image)
    mean, log_variance = translation.posterior
    (translation.image.square().sum() + mean.sum() + log_variance.sum()).backward()
    assert_reached(generator)


def test_pictures_as_input() -> None:
    generator = Spade(SpadeConfig(image_channels=3, out_channels=1, width=2)).eval()
    assert generator(Condition(image=PICTURE)).image.shape == (2, 1, 40, 48)


@pytest.mark.parametrize("fault", [{"norm": "layer"}, {"num_upsamplings": 4}])
def test_unknown_options_are_refused(fault: dict[str, str | int]) -> None:
    with pytest.raises(InputError, match=r"norm must be one of .* num_upsamplings of \(5, 6, 7\)"):
        replace(TINY, **fault)


def test_weights_of_another_number_of_classes_are_refused() -> None:
    _, weights = recorded("spade")
    with pytest.raises(
        InputError, match=r"of another shape \(head_0\.norm_0\.\S+ \(128, 7, 3, 3\) for \(128, 8, 3, 3\)"
    ):
        adopt("spade", weights, replace(RECORDED_CONFIGS["spade"], num_labels=7))
