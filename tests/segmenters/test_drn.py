"""DRN-D: its published sizes, its dilations, and weights under their published names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from published_drn import BATCH_NORM, published_shapes
from torch import Tensor, nn

from pixelwise.data.cityscapes import TRAIN_LABELS
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.metrics.complexity import num_parameters
from pixelwise.segmenters.drn import CITYSCAPES_INPUT, DRNS, Drn, adopt_drn, drn_segmenter
from pixelwise.segmenters.segmenter import InputScale

THREE = LabelSpec(("a", "b", "c"))


def bilinear_kernel(num_classes: int) -> Tensor:
    """Of a transposed convolution of stride 8 and padding 4: what interpolation makes of single scores."""
    profile = F.interpolate(torch.eye(3)[1].view(1, 1, 3), scale_factor=8, mode="linear")[0, 0, 4:20]
    return torch.outer(profile, profile).expand(num_classes, 1, 16, 16).clone()


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """Random weights that find every class somewhere."""
    numbers = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in published_shapes().items():
        fan_in = max(1, int(torch.tensor(shape[1:]).prod()))
        values = torch.randn(shape, generator=numbers) * (2 / fan_in) ** 0.5
        weights[name] = values.abs() + 0.5 if len(shape) == 1 and not name.endswith("bias") else values
    weights["up.weight"] = bilinear_kernel(3)
    with torch.inference_mode():
        scores = adopt_drn(weights)[1](torch.randn(1, 3, 96, 96, generator=numbers))
    weights["seg.bias"] -= scores.mean(dim=(0, 2, 3))
    return weights


@pytest.mark.parametrize(("name", "millions"), [("drn_d_22", 16.4), ("drn_d_38", 26.5), ("drn_d_105", 54.8)])
def test_parameters_are_those_of_the_published_networks(name: str, millions: float) -> None:
    with torch.device("meta"):
        assert num_parameters(Drn(DRNS[name], num_classes=1000)) / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("name", DRNS)
def test_pictures_are_reduced_eight_times_and_then_seen_from_afar(name: str) -> None:
    with torch.device("meta"):
        network = Drn(DRNS[name], num_classes=19)
        assert network.levels(torch.empty(1, 3, 64, 100)).shape == (1, 512, 8, 13)
        assert network(torch.empty(2, 3, 61, 99)).shape == (2, 19, 61, 99)
    dilations = [
        {part.dilation[0] for part in level.modules() if isinstance(part, nn.Conv2d) and part.kernel_size[0] > 1}
        for level in network.levels
    ]
    assert dilations == [{1}, {1}, {1}, {1}, {1}, {2}, {4}, {2}, {1}]


def test_there_is_no_pooling_and_no_shortcut_at_the_end() -> None:
    with torch.device("meta"):
        network = Drn(DRNS["drn_d_22"], num_classes=19)
    assert not any(isinstance(part, nn.MaxPool2d) for part in network.modules())
    assert [[type(part).__name__ for part in level] for level in network.levels[-2:]] == [
        ["Conv2d", "BatchNorm2d", "ReLU"]
    ] * 2


@torch.inference_mode()
def test_made_up_weights_are_adopted_and_enlarged_as_published(published: dict[str, Tensor]) -> None:
    name, network = adopt_drn({f"module.{name}": tensor for name, tensor in published.items()})
    assert name == "drn_d_22"
    assert not network.training
    picture = torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    coarse = network.to_classes(network.levels(picture))
    enlarged = F.conv_transpose2d(coarse, published["up.weight"], stride=8, padding=4, groups=3)
    found = network(picture)
    torch.testing.assert_close(found[..., 4:-4, 4:-4], enlarged[..., 4:-4, 4:-4])
    # At the border both are the same up to a factor.
    assert (found.argmax(1) == enlarged.argmax(1)).float().mean() > 0.999
    assert len(found.argmax(1).unique()) > 1


@torch.inference_mode()
def test_a_residual_block_adds_its_shortcut(published: dict[str, Tensor]) -> None:
    _, network = adopt_drn(published)
    x = torch.randn(1, 32, 8, 8, generator=torch.Generator().manual_seed(2))

    def layer(x: Tensor, convolution: str, norm: str, stride: int = 1) -> Tensor:
        weight = published[f"base.3.0.{convolution}.weight"]
        bias, mean, variance = (published[f"base.3.0.{norm}.{part}"] for part in BATCH_NORM[1:])
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
        return F.batch_norm(x, mean, variance, published[f"base.3.0.{norm}.weight"], bias)

    body = layer(F.relu(layer(x, "conv1", "bn1", 2)), "conv2", "bn2")
    expected = F.relu(body + layer(x, "downsample.0", "downsample.1", 2))
    torch.testing.assert_close(network.levels[3][0](x), expected, rtol=1e-4, atol=1e-4)


def test_what_does_not_fit_is_listed(published: dict[str, Tensor]) -> None:
    missing = {name: tensor for name, tensor in published.items() if name != "base.4.1.conv2.weight"}
    with pytest.raises(InputError, match=r"1 missing \(levels\.4\.1\.body\.3\.weight.*1 unexpected \(extra"):
        adopt_drn({**missing, "extra": torch.zeros(1)})
    with pytest.raises(InputError, match=r"of another shape \(levels\.0\.0\.weight \(16, 3, 3, 3\) for "):
        adopt_drn({**published, "base.0.0.weight": torch.zeros(16, 3, 3, 3)})
    with pytest.raises(InputError, match=r"none of drn_d_22, drn_d_38, drn_d_105: .* have \(0, 0, 0, 0\) residual"):
        adopt_drn({"weight": torch.zeros(1)})
    with pytest.raises(InputError, match=r"no seg\.weight"):
        adopt_drn({name: tensor for name, tensor in published.items() if not name.startswith("seg.")})
    with pytest.raises(InputError, match=r"up\.weight, \(3, 1, 16, 16\), does not interpolate"):
        adopt_drn({**published, "up.weight": published["up.weight"] * 2})


def test_a_segmenter_reads_pictures_in_the_published_numbers(published: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "drn_d_22_three.pth"
    torch.save(published, path)
    pictures = torch.rand(2, 3, 30, 41, generator=torch.Generator().manual_seed(3)) * 2 - 1
    segmenter = drn_segmenter(path, THREE, "cpu")
    found = segmenter.find(pictures)
    assert (found.dtype, found.shape) == (torch.int64, (2, 30, 41))
    assert (segmenter.num_classes, segmenter.name) == (3, "drn_d_22 (drn_d_22_three.pth)")
    assert not segmenter.remark
    mean, std = (torch.tensor(three).view(3, 1, 1) for three in (CITYSCAPES_INPUT.mean, CITYSCAPES_INPUT.std))
    with torch.inference_mode():
        expected = adopt_drn(published)[1](((pictures + 1) / 2 - mean) / std).argmax(1)
    assert (found == expected).float().mean() > 0.99
    others = drn_segmenter(path, THREE, "cpu", InputScale(white=255.0)).find(pictures)
    assert not torch.equal(others, found)


def test_nineteen_classes_of_other_names_are_told(published: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "nineteen.pth"
    weights = {name: tensor for name, tensor in published.items() if name != "up.weight"}
    torch.save({**weights, "seg.weight": torch.zeros(19, 512, 1, 1), "seg.bias": torch.zeros(19)}, path)
    assert drn_segmenter(path, TRAIN_LABELS, "cpu").remark == ""
    others = LabelSpec(("road", *(f"class {index}" for index in range(1, 19))))
    told = "if it has learned Cityscapes' classes, its class 1 is 'sidewalk', that of the label maps is 'class 1'"
    assert drn_segmenter(path, others, "cpu").remark == told


def test_another_number_of_classes_is_refused_with_both(published: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "three.pth"
    torch.save(published, path)
    assert TRAIN_LABELS.num_classes == 19
    with pytest.raises(InputError, match=r"three\.pth: tells 3 classes apart, the label maps have 19"):
        drn_segmenter(path)
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"three\.pth: none of drn_d_22"):
        drn_segmenter(path)
    with pytest.raises(InputError, match=r"none\.pth: no such file"):
        drn_segmenter(tmp_path / "none.pth")
