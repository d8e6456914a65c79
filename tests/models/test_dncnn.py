from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from full_size import millions_and_gmacs
from recorded import TOLERANCE
from torch import Tensor, nn

from pixelwise.adopt import adopt
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.folded import folded
from pixelwise.models.dncnn import PUBLISHED, DnCnn, DnCnnConfig

SHARED = Path(__file__).parents[2] / "../shared"
GREY = DnCnnConfig(image_channels=1, out_channels=1)
SMALL = replace(GREY, width=4, depth=5)
NOISY = torch.linspace(-9, 9, 2 * 20 * 30).sin().mul(1.1).view(2, 1, 20, 30)
needs_weights = pytest.mark.skipif(not (SHARED / "conformance").is_dir(), reason="the trained weights are not shipped")


def signed(picture: Tensor) -> Tensor:
    """From [0, 1] to [-1, 1]."""
    return 2 * picture - 1


@needs_weights
@pytest.mark.parametrize(("name", "published"), [("s15", "s15"), ("s25", "s25"), ("s50", "s50"), ("b", "b")])
@torch.no_grad()
def test_conformance(name: str, published: str) -> None:
    with np.load(SHARED / "conformance" / f"dncnn_{name}.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
    weights = {key.removeprefix("sd/"): value for key, value in arrays.items() if key.startswith("sd/")}
    generator = adopt("dncnn", weights, PUBLISHED[published].config)
    translation = generator(Condition(image=signed(arrays["in/noisy"])))
    removed = arrays["in/noisy"] - (translation.image + 1) / 2
    torch.testing.assert_close(removed, arrays["out/residual"], atol=TOLERANCE / 2, rtol=0)
    clean = (translation.picture() + 1) / 2
    torch.testing.assert_close(clean, arrays["out/denoised"], atol=TOLERANCE / 2, rtol=0)
    psnr = -10 * (clean - arrays["in/clean"]).square().mean().log10()
    assert psnr.item() == pytest.approx(arrays["out/psnr"].item(), abs=1e-3)


@needs_weights
@torch.no_grad()
def test_weights_with_merged_norms_take_the_noise_away() -> None:
    weights = torch.load(SHARED / "weights" / "dncnn_25.pth", weights_only=True)
    generator = adopt("dncnn", weights, PUBLISHED["kair_25"].config)
    with np.load(SHARED / "conformance" / "dncnn_s25.npz") as file:
        clean, noisy, expected = (torch.from_numpy(file[key]) for key in ("in/clean", "in/noisy", "out/psnr"))
    picture = (generator(Condition(image=signed(noisy))).picture() + 1) / 2
    psnr = -10 * (picture - clean).square().mean().log10()
    assert psnr.item() == pytest.approx(expected.item(), abs=0.1)


@pytest.mark.parametrize(
    ("name", "parameters"),
    # A convolution of c to d channels has 9 c d weights, a norm 2 d numbers; merged, a convolution has d biases.
    [
        ("s25", 2 * 576 + 15 * (36864 + 128)),
        ("b", 2 * 576 + 18 * (36864 + 128)),
        ("kair_25", 2 * 576 + 15 * 36864 + 16 * 64 + 1),
        ("kair_color_blind", 2 * 1728 + 18 * 36864 + 19 * 64 + 3),
    ],
)
def test_has_the_parameters_of_the_published_networks(name: str, parameters: int) -> None:
    published = PUBLISHED[name]
    millions, gmacs = millions_and_gmacs(published, DnCnn)
    config = published.config
    assert millions == pytest.approx(parameters / 1e6)
    weights = 9 * 64 * (64 * (config.depth - 2) + 2 * config.image_channels)  # type: ignore[attr-defined]
    assert gmacs == pytest.approx(published.size[0] * published.size[1] * weights / 1e9)


@torch.no_grad()
def test_without_a_last_layer_nothing_is_taken_away() -> None:
    generator = DnCnn(SMALL).eval()
    assert not torch.equal(generator(Condition(image=NOISY)).image, NOISY)
    generator.last.weight.zero_()
    assert torch.equal(generator(Condition(image=NOISY)).image, NOISY)


@torch.no_grad()
def test_prepared_norms_are_in_the_convolutions() -> None:
    generator = DnCnn(SMALL)
    for _ in range(3):
        generator(Condition(image=NOISY + 1))
    ready = folded(generator.eval())
    expected = generator(Condition(image=NOISY)).image
    torch.testing.assert_close(ready(Condition(image=NOISY)).image, expected, atol=1e-5, rtol=0)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in ready.modules())
    assert any(isinstance(part, nn.BatchNorm2d) for part in generator.modules())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": 1}, "depth must be at least 2, got 1"),
        ({"num_labels": 3}, "no use for label maps"),
        ({"out_channels": 3}, "must be equal, got 1 and 3"),
    ],
)
def test_configurations_that_cannot_be(fields: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(GREY, **fields)


def test_a_picture_of_other_channels_is_refused() -> None:
    with pytest.raises(InputError, match="an image of 1 channels is needed, the condition has 3"):
        DnCnn(SMALL)(Condition(image=torch.zeros(1, 3, 8, 8)))
