"""Weights of others: found, fetched, verified, read. What is particular to VGG19 is in losses/test_perceptual.py."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn

from pixelwise.errors import InputError
from pixelwise.published_weights import MissingWeightsError, PublishedWeights

WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2), "rest.weight": torch.zeros(1)}


def saved(content: object, path: Path) -> PublishedWeights:
    torch.save(content, path)
    return PublishedWeights("Net", path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()[:8])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.pth"


@pytest.fixture
def published(file: Path) -> PublishedWeights:
    return saved(WEIGHTS, file)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


def network() -> nn.Module:
    return nn.ModuleDict({"a": nn.Linear(3, 2)})


def test_a_file_is_read_as_it_is(published: PublishedWeights, file: Path) -> None:
    read = published.read(file)
    assert list(read) == list(WEIGHTS)
    assert all(torch.equal(read[name], weight) for name, weight in WEIGHTS.items())


def test_a_network_takes_the_weights_that_it_has_layers_for(published: PublishedWeights, file: Path) -> None:
    weights = published.load(network, file).state_dict()
    assert {name: weight.tolist() for name, weight in weights.items()} == {
        name: WEIGHTS[name].tolist() for name in ("a.weight", "a.bias")
    }


def test_names_may_differ(published: PublishedWeights, file: Path) -> None:
    linear = published.load(lambda: nn.Linear(3, 2), file, published_name="a.{}".format)
    assert torch.equal(linear.weight, WEIGHTS["a.weight"])


def test_a_norm_without_its_step_counter_is_complete(tmp_path: Path) -> None:
    norm = {name: torch.full((2,), 0.5) for name in ("weight", "bias", "running_mean", "running_var")}
    published = saved(norm, tmp_path / "norm.pth")
    assert published.load(lambda: nn.BatchNorm2d(2), tmp_path / "norm.pth").running_mean.tolist() == [0.5, 0.5]


def test_the_cache_is_filled_once(published: PublishedWeights, file: Path, cache: Path) -> None:
    with pytest.raises(MissingWeightsError, match="no Net weights at hand; give the file, or download file:"):
        published.find()
    assert published.find(download=True) == cache / "net.pth"
    file.unlink()
    assert published.read().keys() == WEIGHTS.keys()


def test_a_file_may_have_another_name_in_the_cache(file: Path, published: PublishedWeights, cache: Path) -> None:
    renamed = PublishedWeights("Net", published.url, published.sha256, cached_as="other.pth")
    assert renamed.find(download=True) == cache / "other.pth"


def test_a_cached_file_is_verified_too(published: PublishedWeights, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "net.pth").write_bytes(b"half of it")
    with pytest.raises(InputError, match=rf"net.pth: SHA-256 is \w+, expected one that begins with {published.sha256}"):
        published.find(download=True)


def test_nothing_is_built_before_the_file_is_there(published: PublishedWeights, cache: Path) -> None:
    # Building draws random numbers, which a training without these weights must not see.
    before = torch.get_rng_state()
    with pytest.raises(MissingWeightsError):
        published.load(network)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("content", [[1, 2], {"a.weight": 1}, {"a.bias": torch.ones(2)}, {"a.weight": torch.ones(1)}])
def test_other_contents_are_refused(tmp_path: Path, content: object) -> None:
    published = saved(content, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other.pth: not Net's weights as they are published \("):
        published.load(network, tmp_path / "other.pth")
