"""What is measured: networks whose pictures tell right from wrong, and scenes like real label maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_model import LABEL_MODEL, save_tiny_model

from pixelwise.bench.scene import MOST_LABELS, draw_condition
from pixelwise.bench.subject import FULL_SIZE, RANDOM, build, full_size, random_network
from pixelwise.models.asapnet import AsapNetConfig

NARROW = {"width": 16, "max_width": 64, "num_blocks": 2}


@pytest.mark.parametrize(("cell", "separable"), [(4, False), (32, False), (16, True)])
@torch.inference_mode()
def test_random_networks_are_neither_flat_nor_saturated(cell: int, separable: bool) -> None:
    config = AsapNetConfig(num_labels=35, instance_edges=True, out_channels=3, cell=cell, **NARROW)
    network = random_network(replace(config, separable_blocks=separable))
    image = network(draw_condition(network.config, (16 * cell, 16 * cell))).image
    assert image.std(dim=(-2, -1)).min() > 0.1
    assert (image.abs() > 0.98).float().mean() < 0.05


def test_random_networks_are_the_same_every_time_and_leave_the_random_numbers_alone() -> None:
    config = AsapNetConfig(num_labels=3, out_channels=3, cell=4, **NARROW)
    before = torch.get_rng_state()
    first, second = random_network(config).state_dict(), random_network(config).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


@pytest.mark.parametrize(
    ("size", "cell"), [((256, 256), 16), ((512, 1024), 32), ((2048, 2048), 128), ((2160, 3840), 128), ((100, 70), 4)]
)
def test_full_size_networks_have_sixteen_cells_or_a_few_more(
    size: tuple[int, int], cell: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelwise.bench.subject.random_network", lambda config: config)
    assert build(FULL_SIZE, size) == full_size(cell)
    assert 16 <= min(size) / cell < 24


def test_cells_may_be_of_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.bench.subject.random_network", lambda config: config)
    assert build(FULL_SIZE, (1024, 1024), 16) == full_size(16)


def test_networks_with_cheaper_streams_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.bench.subject.random_network", lambda config: config)
    assert list(RANDOM) == ["full-size", "full-size-channels512", "full-size-separable"]
    assert build("full-size-channels512", (1024, 1024)) == replace(full_size(64), max_width=512)
    assert build("full-size-separable", (1024, 1024)) == replace(full_size(64), separable_blocks=True)


def test_a_network_from_a_file_stays_as_it_is(tmp_path: Path) -> None:
    path = save_tiny_model(tmp_path / "m.safetensors", LABEL_MODEL)
    assert build(str(path), (8, 8)).config == build(str(path), (64, 64)).config


def test_a_scene_has_areas_of_several_labels_and_instances_of_its_own() -> None:
    condition = draw_condition(full_size(cell=8), (128, 256))
    assert condition.size == (128, 256)
    assert condition.labels is not None
    assert condition.instances is not None
    assert MOST_LABELS / 2 < len(condition.labels.unique()) <= MOST_LABELS
    assert len(condition.instances.unique()) > len(condition.labels.unique())
    equal = condition.labels[:, :, 1:] == condition.labels[:, :, :-1]
    assert equal.float().mean() > 0.9


def test_a_scene_grows_with_the_picture() -> None:
    small, large = (draw_condition(full_size(cell=8), (side, side)).labels for side in (128, 512))
    assert small is not None
    assert large is not None
    assert (large[:, 2::4, 2::4] == small).float().mean() > 0.9


def test_a_scene_is_what_the_network_reads() -> None:
    condition = draw_condition(AsapNetConfig(image_channels=2, out_channels=3), (20, 30))
    assert (condition.labels, condition.instances) == (None, None)
    assert condition.image is not None
    assert condition.image.shape == (1, 2, 20, 30)
    assert condition.image.abs().max() <= 1
    assert condition.image.std() > 0.1
