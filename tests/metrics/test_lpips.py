"""LPIPS on random backbones, beside torchmetrics' own code and a few lines of NumPy."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchmetrics.functional.image.lpips as torchmetrics_lpips
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.metrics.complexity import num_parameters
from pixelwise.metrics.lpips import BACKBONES, Backbone, Lpips, load_lpips, new_heads
from pixelwise.published_weights import MissingWeightsError, PublishedWeights

SHARED_HEADS = Path(__file__).parents[2] / "../shared/weights"

# Of the whole published networks, less their classifiers.
NUM_PARAMETERS = {"alex": 2_469_696, "squeeze": 722_496, "vgg": 14_714_688}


def published(name: str, content: dict[str, Tensor], path: Path) -> PublishedWeights:
    torch.save(content, path)
    return PublishedWeights(name, path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest())


def random_features(backbone: Backbone) -> nn.Sequential:
    torch.manual_seed(0)
    features = backbone.layers()
    for module in features.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return features


@pytest.fixture(scope="module", params=BACKBONES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def backbone(name: str, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """With random weights in a file of torchvision's names."""
    path = tmp_path_factory.mktemp(name) / "backbone.pth"
    weights = {f"features.{key}": weight for key, weight in random_features(BACKBONES[name]).state_dict().items()}
    return replace(BACKBONES[name], weights=published(name, {**weights, "classifier.1.bias": torch.zeros(1000)}, path))


@pytest.fixture(scope="module")
def lpips(backbone: Backbone) -> Lpips:
    return load_lpips(backbone, Path(backbone.weights.url.removeprefix("file://")))


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    numbers = torch.Generator().manual_seed(1)
    first, second = (torch.rand(2, 3, 64, 70, generator=numbers) * 2 - 1 for _ in range(2))
    return first, second


def test_networks_have_the_published_sizes(name: str, backbone: Backbone) -> None:
    assert num_parameters(backbone.layers()) == NUM_PARAMETERS[name]


def test_it_is_that_of_torchmetrics(
    name: str, lpips: Lpips, pictures: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Torchvision is not here to build the backbone; slices, scaling and heads are torchmetrics'.
    monkeypatch.setattr(torchmetrics_lpips, "_get_tv_model_features", lambda net, pretrained: lpips.features)
    theirs = torchmetrics_lpips._LPIPS(net=name)  # type: ignore[arg-type]
    torch.testing.assert_close(lpips(*pictures), theirs(*pictures).flatten(), rtol=1e-4, atol=0)


def test_equal_pictures_have_no_distance_and_others_have_one(lpips: Lpips, pictures: tuple[Tensor, Tensor]) -> None:
    first, second = pictures
    assert lpips(first, first).tolist() == [0, 0]
    distances = lpips(first, second)
    assert distances.shape == (2,)
    assert (distances > 0).all()
    torch.testing.assert_close(lpips(second, first), distances)
    torch.testing.assert_close(lpips(first[1:], second[1:]), distances[1:])


def test_a_small_change_has_a_small_distance(lpips: Lpips, pictures: tuple[Tensor, Tensor]) -> None:
    first, second = pictures
    nearer = lpips(first, first + 0.1 * (second - first))
    assert (nearer < 0.5 * lpips(first, second)).all()


def test_the_smallest_picture_is_read_and_a_smaller_one_is_not(backbone: Backbone, lpips: Lpips) -> None:
    smallest = torch.rand(1, 3, backbone.min_size, backbone.min_size)
    assert lpips(smallest, -smallest).item() > 0
    with pytest.raises(InputError, match=f"{backbone.name} expects B 1 or 3, at least {backbone.min_size}"):
        lpips(smallest[:, :, 1:], smallest[:, :, 1:])
    # Nor could its layers: the least size is no larger than it must be.
    with pytest.raises(RuntimeError):
        lpips.features(smallest[:, :, 1:])


def test_sizes_must_be_equal(lpips: Lpips) -> None:
    with pytest.raises(InputError, match=r"pictures are \(1, 3, 64, 64\) and \(1, 3, 64, 65\)"):
        lpips(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 65))


def test_published_heads_weigh_and_never_count_against(lpips: Lpips) -> None:
    for head in lpips.heads:
        assert (head.weight >= 0).all()
        assert head.weight.any()


def test_shared_heads_are_the_published_ones(name: str, backbone: Backbone, lpips: Lpips) -> None:
    path = SHARED_HEADS / f"lpips_v0.1_{name}.pth"
    if not path.is_file():
        pytest.skip("no ../shared")
    weights = Path(backbone.weights.url.removeprefix("file://"))
    read = load_lpips(backbone, weights, heads=path)
    assert all(torch.equal(one.weight, other.weight) for one, other in zip(read.heads, lpips.heads, strict=True))


def test_value_by_hand() -> None:
    torch.manual_seed(2)
    backbone = Backbone(
        "Tiny",
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 2, 1)),
        taps=(1, 2),
        channels=(4, 2),
        min_size=3,
        weights=PublishedWeights("Tiny", "file:", ""),
        heads=PublishedWeights("Tiny heads", "file:", ""),
    )
    features, heads = backbone.layers(), new_heads(backbone)
    image, target = torch.rand(2, 3, 7, 9) * 2 - 1, torch.rand(2, 3, 7, 9) * 2 - 1
    expected = np.zeros(2)
    for num_layers, head in zip((2, 3), heads, strict=True):
        directions = []
        for picture in (image, target):
            scaled = (picture - torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1)) / torch.tensor(
                [0.458, 0.448, 0.450]
            ).view(3, 1, 1)
            found = features[:num_layers](scaled).detach().numpy()
            directions.append(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-10))
        weights = head.weight.detach().numpy().reshape(1, -1, 1, 1)
        expected += (weights * (directions[0] - directions[1]) ** 2).sum(axis=1).mean(axis=(1, 2))
    np.testing.assert_allclose(Lpips(backbone, features, heads)(image, target).numpy(), expected, rtol=1e-4)


def test_missing_backbones_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(MissingWeightsError, match=r"no AlexNet weights at hand"):
        load_lpips()


def test_heads_of_another_backbone_are_refused(backbone: Backbone, tmp_path: Path) -> None:
    wrong = published("LPIPS v0.1", {"lin0.model.1.weight": torch.zeros(1, 3, 1, 1)}, tmp_path / "heads.pth")
    weights = Path(backbone.weights.url.removeprefix("file://"))
    with pytest.raises(InputError, match=r"heads.pth: SHA-256 is"):
        load_lpips(backbone, weights, tmp_path / "heads.pth")
    with pytest.raises(InputError, match=r"heads.pth: not LPIPS v0.1's weights"):
        load_lpips(replace(backbone, heads=wrong), weights, tmp_path / "heads.pth")
