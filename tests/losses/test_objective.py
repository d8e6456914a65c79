import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.layers.pyramid import pyramid
from pixelwise.losses.adversarial import ADVERSARIAL
from pixelwise.losses.objective import WEIGHTS, Objective, discriminator_terms, generator_terms
from pixelwise.losses.perceptual_adversarial import PerceptualAdversarialLoss
from pixelwise.render import PixelMlp, PixelwiseField

GOLDEN = Path(__file__).parents[1] / "golden"

NOTHING = Objective(
    adversarial=None, feature_matching=0, perceptual=0, l1=0, l2=0, kl=0, field_decay=0, cross_entropy=0
)


@dataclass(frozen=True)
class Translation:
    image: Tensor
    posterior: tuple[Tensor, Tensor] | None = None
    field: PixelwiseField | None = None
    pyramid: tuple[Tensor, ...] = ()
    variants: Tensor | None = None
    regions: Tensor | None = None
    ordering: tuple[Tensor, Tensor] | None = None

    @property
    def pictures(self) -> tuple[Tensor, ...]:
        return self.image, *self.pyramid


@pytest.fixture
def translation() -> Translation:
    mlp = PixelMlp(widths=(1, 1))
    return Translation(
        image=torch.full((1, 3, 2, 2), 0.5),
        posterior=(torch.full((1, 4), 2.0), torch.zeros(1, 4)),
        field=PixelwiseField(torch.full((1, 2, 1, 1), 3.0), mlp, cell=2),
        ordering=(torch.zeros(3), torch.tensor([0.0, 0.5, 1.0])),
    )


TARGET = torch.zeros(1, 3, 2, 2)
FAKE = [[torch.full((1, 2, 2, 2), 1.0), torch.full((1, 1, 2, 2), 7.0)]]
REAL = [[torch.full((1, 2, 2, 2), 4.0), torch.full((1, 1, 2, 2), 5.0)]]

# One term each: the objective, and the weighted value for the tensors above.
TERMS = {
    "adversarial": (replace(NOTHING, adversarial="wasserstein"), -7.0),
    "perceptual": (replace(NOTHING, perceptual=0.5), 0.5 * 8),
    "l1": (replace(NOTHING, l1=4.0), 4 * 0.5),
    "l2": (replace(NOTHING, l2=4.0), 4 * 0.25),
    "kl": (replace(NOTHING, kl=0.05), 0.05 * 4 * 2),
    "ordering": (replace(NOTHING, ordering=2.0), 2 * np.log(2)),
    "field_decay": (replace(NOTHING, field_decay=0.1), 0.1 * 9),
}


def perceptual(image: Tensor, target: Tensor) -> Tensor:
    return torch.tensor(8.0)


@pytest.mark.parametrize("name", TERMS)
def test_each_term_by_itself(name: str, translation: Translation) -> None:
    objective, expected = TERMS[name]
    terms = generator_terms(objective, translation, [TARGET], FAKE, REAL, perceptual)
    assert {term: value.item() for term, value in terms.items()} == {name: pytest.approx(expected)}


def test_all_terms(translation: Translation) -> None:
    objective = Objective("wasserstein", 10.0, 10.0, 1.0, 1.0, 0.05, 0.1, 1.0)
    terms = generator_terms(objective, translation, [TARGET], FAKE, REAL, perceptual)
    assert {*terms} == {"adversarial", *WEIGHTS} - {"cross_entropy"}
    assert terms["feature_matching"].item() == pytest.approx(10 * 3)


def test_both_players_play_for_the_distance_in_hidden_layers(translation: Translation) -> None:
    """|1 - 4| in the one hidden layer, weighed by 2, of a margin of 10; predictions are 7 and 5."""
    objective = Objective(
        "wasserstein", 0.0, 0.0, kl=0.0, perceptual_adversarial=PerceptualAdversarialLoss((2.0,), margin=10.0)
    )
    generators = generator_terms(objective, translation, [TARGET], FAKE, REAL)
    assert {name: term.item() for name, term in generators.items()} == {
        "adversarial": -7.0,
        "perceptual_adversarial": 6.0,
    }
    discriminators = discriminator_terms(objective, FAKE, REAL)
    assert {name: term.item() for name, term in discriminators.items()} == {"discriminator": 7.0 - 5.0, "margin": 4.0}
    assert list(discriminator_terms(replace(objective, perceptual_adversarial=None), FAKE, REAL)) == ["discriminator"]


class ByRegion:
    """Stands for VGG19: the squared distance of single pixels."""

    def by_region(self, pictures: Tensor, target: Tensor, regions: Tensor | None) -> Tensor:
        if regions is None:
            regions = torch.ones_like(target[:, :1])
        differences = (pictures - target[:, None]).square().sum(dim=2)
        return torch.einsum("bkhw,bphw->bkp", differences, regions)


@pytest.mark.parametrize(("by_class", "best"), [(True, 1 + 2), (False, 1 + 5)])
def test_of_several_pictures_the_best_counts_by_class_or_as_a_whole(by_class: bool, best: float) -> None:
    """Two pixels, each a class of its own, and three pictures."""
    squares = torch.tensor([[1.0, 5.0], [6.0, 2.0], [9.0, 9.0]])
    variants = squares.sqrt().view(1, 3, 1, 1, 2)
    several = Translation(variants[:, 0], variants=variants, regions=torch.eye(2).view(1, 2, 1, 2))
    objective = replace(NOTHING, perceptual=1.0, best_by_class=by_class)
    terms = generator_terms(objective, several, [torch.zeros(1, 1, 1, 2)], perceptual=ByRegion())
    # A thousandth of the mean beside it: see pixelwise.losses.diversity.
    assert terms["perceptual"].item() == pytest.approx(0.999 * best + 0.001 * squares.sum().item() / 3)


def test_agrees_with_the_original() -> None:
    with np.load(GOLDEN / "losses.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
    fake, real = (
        [[arrays[f"in/{kind}_{scale}_{layer}"] for layer in range(3)] for scale in range(2)]
        for kind in ("fake", "real")
    )
    translation = Translation(TARGET, posterior=(arrays["in/mu"], arrays["in/logvar"]))
    terms = generator_terms(Objective(), translation, [TARGET], fake, real)
    expected = {"adversarial": "hinge_G", "feature_matching": "feat_match_lambda10", "kl": "kld_lambda0.05"}
    assert list(terms) == list(expected)
    for name, key in expected.items():
        torch.testing.assert_close(terms[name], arrays[f"out/{key}"].squeeze(), rtol=0, atol=1e-5)
    torch.testing.assert_close(terms["adversarial"], arrays["out/gan_G_from_model"].squeeze(), rtol=0, atol=1e-5)


def test_pictures_are_compared_at_every_size_that_they_are_made_at() -> None:
    target = torch.tensor([[0.0, 0.4, -1.0], [0.2, 0.6, 1.0], [1.0, -1.0, 0.5]]).expand(1, 3, 3, 3)
    reduced = torch.tensor([[0.3, 0.0], [0.0, 0.5]]).expand(1, 3, 2, 2)
    exact = Translation(target, pyramid=(reduced, torch.full((1, 3, 1, 1), 0.2)))
    objective = replace(NOTHING, l1=4.0, l2=4.0, perceptual=0.5)
    shapes = []

    def shape_of(image: Tensor, target: Tensor) -> Tensor:
        shapes.append((*image.shape[-2:], *target.shape[-2:]))
        return torch.tensor(float(image.shape[-1]))

    targets = pyramid(target, 3)
    terms = generator_terms(objective, exact, targets, perceptual=shape_of)
    assert terms["l1"].item() == terms["l2"].item() == pytest.approx(0, abs=1e-6)
    assert shapes == [(3, 3, 3, 3), (2, 2, 2, 2), (1, 1, 1, 1)]
    assert terms["perceptual"].item() == pytest.approx(0.5 * (3 + 2 + 1) / 3)
    terms = generator_terms(objective, replace(exact, pyramid=(reduced + 0.3, exact.pyramid[1])), targets)
    assert terms["l1"].item() == pytest.approx(4 * 0.3 / 3)
    assert terms["l2"].item() == pytest.approx(4 * 0.09 / 3)


def test_terms_about_what_a_run_does_not_have_are_left_out() -> None:
    objective = Objective(adversarial=None, l1=1.0, field_decay=1.0)
    assert list(generator_terms(objective, Translation(TARGET), [TARGET])) == ["l1"]


def test_terms_of_weight_zero_are_not_computed(translation: Translation) -> None:
    def never(image: Tensor, target: Tensor) -> Tensor:
        raise AssertionError

    assert generator_terms(NOTHING, translation, [TARGET], FAKE, REAL, never) == {}


def test_an_adversary_without_its_outputs_is_refused(translation: Translation) -> None:
    with pytest.raises(InputError, match="outputs on the image"):
        generator_terms(Objective(), translation, [TARGET])
    with pytest.raises(InputError, match="outputs on the target"):
        generator_terms(Objective(), translation, [TARGET], FAKE)
    assert "adversarial" in generator_terms(Objective(feature_matching=0), translation, [TARGET], FAKE)


def test_a_target_of_another_shape_is_refused(translation: Translation) -> None:
    with pytest.raises(InputError, match="expected equal shapes"):
        generator_terms(replace(NOTHING, l1=1), translation, [TARGET[:, :1]])


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_survives_json(name: str) -> None:
    objective = Objective(adversarial=name, l1=3.0)
    assert Objective(**json.loads(json.dumps(asdict(objective)))) == objective


def test_an_unknown_adversary_is_named_with_those_known() -> None:
    with pytest.raises(InputError, match=r"'lsgan', expected one of hinge, least_squares, cross_entropy, wasserstein"):
        Objective(adversarial="lsgan")


def test_unknown_layers_and_layers_of_no_adversary_are_named() -> None:
    with pytest.raises(InputError, match=r"perceptual_layers is 'third', expected one of first, second"):
        Objective(perceptual_layers="third")
    with pytest.raises(InputError, match="needs an adversary"):
        Objective(adversarial=None, perceptual_adversarial=PerceptualAdversarialLoss((1.0,), margin=1.0))


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), "10"])
def test_impossible_weights_are_named(weight: float) -> None:
    with pytest.raises(InputError, match=rf"objective.l1 is {weight!r}"):
        Objective(l1=weight)
