"""What generators cost: counted by hand, against published figures, and against what the reference engine does."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.metrics.complexity import Macs, count_macs, measure_runtime, num_parameters, pixelwise_macs
from pixelwise.models.asapnet import AsapNet, AsapNetConfig
from pixelwise.render import Guide, PixelMlp, PixelwiseField, render

LABELS_AND_EDGE = {"num_labels": 35, "instance_edges": True, "out_channels": 3}
RGB = {"image_channels": 3, "out_channels": 3}


class Applied(nn.Module):
    """A generator of one layer, which reads the condition's image."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, condition: Condition) -> Tensor:
        assert condition.image is not None
        image: Tensor = self.layer(condition.image)
        return image


class Attention(nn.Module):
    """Every pixel looks at every other one."""

    def forward(self, image: Tensor) -> Tensor:
        similarities = torch.einsum("bcn,bcm->bnm", image.flatten(2), image.flatten(2))
        return image.flatten(2) @ similarities.softmax(-1)


def full_size(size: tuple[int, int], inputs: dict[str, int | bool]) -> AsapNet:
    """A published ASAP-Net without memory for its weights: on the meta device shapes are all there is."""
    with torch.device("meta"):
        return AsapNet(AsapNetConfig(cell=size[0] // 16, **inputs))  # type: ignore[arg-type]


def blank(config: AsapNetConfig, size: tuple[int, int]) -> Condition:
    return Condition(
        labels=torch.zeros(1, *size, dtype=torch.long) if config.num_labels else None,
        instances=torch.zeros(1, *size, dtype=torch.long) if config.instance_edges else None,
        image=torch.zeros(1, config.image_channels, *size) if config.image_channels else None,
    )


def test_one_mlp_for_all_cells_costs_its_pixels_alone() -> None:
    """Fig. 9c: there is no stream, though weights that learn are counted as those that do not."""
    config = AsapNetConfig(**RGB, cell=8, constant_mlp=True)
    found = count_macs(AsapNet(config), blank(config, (16, 24)))
    assert found.total == found.pixelwise
    assert found.low_resolution == 0


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (nn.Conv2d(4, 6, 3, padding=1), 2 * 8 * 10 * 6 * 4 * 9),
        (nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False), 2 * 4 * 5 * 6 * 4 * 9),
        (nn.Conv2d(4, 6, 3, padding=1, groups=2), 2 * 8 * 10 * 6 * 2 * 9),
        (nn.ConvTranspose2d(4, 6, 2, stride=2), 2 * 8 * 10 * 4 * 6 * 4),
        (nn.Linear(10, 7), 2 * 4 * 8 * 10 * 7),
        (Attention(), 2 * 2 * 80 * 80 * 4),
        (nn.Sequential(nn.InstanceNorm2d(4, affine=True), nn.LeakyReLU(), nn.Upsample(scale_factor=2), nn.Tanh()), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_macs_of_layers_by_hand(layer: nn.Module, macs: int) -> None:
    assert count_macs(Applied(layer), Condition(image=torch.zeros(2, 4, 8, 10))) == Macs(macs)


def test_a_generator_without_a_field_has_no_split() -> None:
    macs = count_macs(Applied(nn.Conv2d(3, 3, 1)), Condition(image=torch.zeros(1, 3, 4, 4)))
    assert (macs.total, macs.pixelwise, macs.low_resolution) == (144, None, None)


def test_parameters_of_frozen_layers_count_and_buffers_do_not() -> None:
    module = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Conv2d(5, 2, 1).requires_grad_(False))
    assert num_parameters(module) == (3 * 5 * 9 + 5) + 2 * 5 + (5 * 2 + 2)


@pytest.mark.parametrize(
    ("size", "inputs", "published_gmacs"),
    [
        ((256, 256), LABELS_AND_EDGE, 24.4),
        ((512, 512), LABELS_AND_EDGE, 27.7),
        ((1024, 1024), LABELS_AND_EDGE, 40.7),
        ((256, 512), LABELS_AND_EDGE, 48.9),
        ((512, 1024), LABELS_AND_EDGE, 55.4),
        ((256, 256), RGB, 22.5),
        ((512, 512), RGB, 25.4),
        ((1024, 1024), RGB, 36.7),
    ],
)
def test_macs_of_published_asapnets(
    size: tuple[int, int], inputs: dict[str, int | bool], published_gmacs: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It looks whether the ids are in range, and on the meta device there are no ids.
    monkeypatch.setattr(
        "pixelwise.layers.semantics.one_hot", lambda labels, channels: labels.new_zeros(1, channels, *size).float()
    )
    generator = full_size(size, inputs)
    macs = count_macs(generator, blank(generator.config, size).to("meta"))
    assert macs.total / 1e9 == pytest.approx(published_gmacs, rel=0.01)
    assert macs.pixelwise == size[0] * size[1] * sum(i * o for i, o in pairwise(generator.config.mlp.widths))
    assert macs.low_resolution == macs.total - macs.pixelwise


@pytest.mark.parametrize(("inputs", "published_millions"), [(LABELS_AND_EDGE, 83.7), (RGB, 81.6)])
def test_parameters_of_published_asapnets(inputs: dict[str, int | bool], published_millions: float) -> None:
    # The published figures are those at 1024 x 1024; smaller cells have a shorter position code and 0.3 % less each.
    assert num_parameters(full_size((1024, 1024), inputs)) / 1e6 == pytest.approx(published_millions, rel=0.001)
    assert num_parameters(full_size((256, 256), inputs)) / 1e6 == pytest.approx(published_millions, rel=0.01)


@pytest.mark.parametrize("bilinear", [False, True])
def test_the_reference_engine_does_what_is_counted_and_what_is_said_of_it(bilinear: bool) -> None:
    batch, rows, columns, cell = 2, 3, 5, 4
    mlp = PixelMlp((6 + 8, 16, 16, 3))
    field = PixelwiseField(torch.zeros(batch, mlp.num_parameters, rows, columns), mlp, cell, bilinear)
    guide = Guide(torch.zeros(batch, rows * cell, columns * cell, dtype=torch.long), 6, None)
    with FlopCounterMode(display=False) as counter:
        render(field, guide, engine="reference")

    corners = 4 if bilinear else 1
    biases = batch * rows * columns * cell**2 * corners * sum(mlp.widths[1:])
    assert counter.get_total_flops() // 2 == pixelwise_macs(field, guide.size) + biases


def test_pixelwise_macs_follow_the_picture_and_not_its_cells() -> None:
    config = AsapNetConfig(num_labels=4, out_channels=3, cell=8, width=4, max_width=8, num_blocks=1, mlp_width=6)
    generator = AsapNet(config).eval()
    whole, cropped = (count_macs(generator, blank(config, size)) for size in ((24, 32), (17, 25)))
    assert cropped.low_resolution == whole.low_resolution
    assert cropped.pixelwise == 17 * 25 * (16 * 6 + 3 * 36 + 18)


def test_counting_leaves_no_graph() -> None:
    layer = nn.Conv2d(3, 3, 1)
    outputs = []
    layer.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    count_macs(Applied(layer), Condition(image=torch.zeros(1, 3, 4, 4)))
    assert [output.requires_grad for output in outputs] == [False]


def test_runtime_drops_the_warm_up_and_gives_quartiles(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    durations = iter([100.0, 50.0, 4.0, 1.0, 5.0, 2.0, 3.0])

    def run() -> None:
        nonlocal now
        now += next(durations)

    monkeypatch.setattr("time.perf_counter", lambda: now)
    runtime = measure_runtime(run, repeats=5, warm_up=2)
    assert (runtime.lower_quartile, runtime.median, runtime.upper_quartile) == (2.0, 3.0, 4.0)
    assert (runtime.repeats, runtime.threads) == (5, torch.get_num_threads())


@pytest.mark.parametrize(("repeats", "warm_up"), [(0, 1), (1, -1)])
def test_runtime_of_no_calls_is_refused(repeats: int, warm_up: int) -> None:
    with pytest.raises(InputError, match=f"expected repeats >= 1 and warm_up >= 0, got {repeats} and {warm_up}"):
        measure_runtime(lambda: None, repeats, warm_up)
