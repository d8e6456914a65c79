import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.losses.adversarial import ADVERSARIAL
from pixelwise.losses.objective import Objective, generator_terms
from pixelwise.render import PixelMlp, PixelwiseField

GOLDEN = Path(__file__).parents[1] / "golden"

NOTHING = Objective(adversarial=None, feature_matching=0, perceptual=0, l1=0, l2=0, kl=0, field_decay=0)


@dataclass(frozen=True)
class Translation:
    image: Tensor
    posterior: tuple[Tensor, Tensor] | None = None
    field: PixelwiseField | None = None
    ordering: tuple[Tensor, Tensor] | None = None


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
    terms = generator_terms(objective, translation, TARGET, FAKE, REAL, perceptual)
    assert {term: value.item() for term, value in terms.items()} == {name: pytest.approx(expected)}


def test_all_terms_in_order(translation: Translation) -> None:
    objective = Objective("wasserstein", 10.0, 10.0, 1.0, 1.0, 0.05, 0.1, 1.0)
    terms = generator_terms(objective, translation, TARGET, FAKE, REAL, perceptual)
    assert list(terms) == list(asdict(objective))
    assert terms["feature_matching"].item() == pytest.approx(10 * 3)


def test_agrees_with_the_original() -> None:
    with np.load(GOLDEN / "losses.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
    fake, real = (
        [[arrays[f"in/{kind}_{scale}_{layer}"] for layer in range(3)] for scale in range(2)]
        for kind in ("fake", "real")
    )
    translation = Translation(TARGET, posterior=(arrays["in/mu"], arrays["in/logvar"]))
    terms = generator_terms(Objective(), translation, TARGET, fake, real)
    expected = {"adversarial": "hinge_G", "feature_matching": "feat_match_lambda10", "kl": "kld_lambda0.05"}
    assert list(terms) == list(expected)
    for name, key in expected.items():
        torch.testing.assert_close(terms[name], arrays[f"out/{key}"].squeeze(), rtol=0, atol=1e-5)
    torch.testing.assert_close(terms["adversarial"], arrays["out/gan_G_from_model"].squeeze(), rtol=0, atol=1e-5)


def test_terms_about_what_a_run_does_not_have_are_left_out() -> None:
    objective = Objective(adversarial=None, l1=1.0, field_decay=1.0)
    assert list(generator_terms(objective, Translation(TARGET), TARGET)) == ["l1"]


def test_terms_of_weight_zero_are_not_computed(translation: Translation) -> None:
    def never(image: Tensor, target: Tensor) -> Tensor:
        raise AssertionError

    assert generator_terms(NOTHING, translation, TARGET, FAKE, REAL, never) == {}


def test_an_adversary_without_its_outputs_is_refused(translation: Translation) -> None:
    with pytest.raises(InputError, match="outputs on the image"):
        generator_terms(Objective(), translation, TARGET)
    with pytest.raises(InputError, match="outputs on the target"):
        generator_terms(Objective(), translation, TARGET, FAKE)
    assert "adversarial" in generator_terms(Objective(feature_matching=0), translation, TARGET, FAKE)


def test_a_target_of_another_shape_is_refused(translation: Translation) -> None:
    with pytest.raises(InputError, match="expected equal shapes"):
        generator_terms(replace(NOTHING, l1=1), translation, TARGET[:, :1])


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_survives_json(name: str) -> None:
    objective = Objective(adversarial=name, l1=3.0)
    assert Objective(**json.loads(json.dumps(asdict(objective)))) == objective


def test_an_unknown_adversary_is_named_with_those_known() -> None:
    with pytest.raises(InputError, match=r"'lsgan', expected one of hinge, least_squares, cross_entropy, wasserstein"):
        Objective(adversarial="lsgan")


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), "10"])
def test_impossible_weights_are_named(weight: float) -> None:
    with pytest.raises(InputError, match=rf"objective.l1 is {weight!r}"):
        Objective(l1=weight)
