"""The low-resolution stream by bands of rows, against the definition and against the whole picture."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.labels import one_hot
from pixelwise.lowres import streamed
from pixelwise.lowres.kept_rows import in_files, in_memory
from pixelwise.lowres.reference import LowResolutionStream, StreamConfig
from pixelwise.lowres.stream import FastStream
from pixelwise.lowres.streamed import KeptLayer, stream_features
from pixelwise.native import library

NUM_LABELS = 4
ENGINES = [False] if library.missing() else [False, True]
"""Whether by the compiled kernels."""

STREAMS = {
    "instance norm": StreamConfig(5, 1, 4, 8, 16, 3, False, "zeros", "instance", 10),
    "instance norm, little kept": StreamConfig(5, 1, 8, 32, 20, 2, False, "replicate", "instance", 10),
    "tent filter": StreamConfig(5, 4, 4, 8, 16, 2, False, "reflect", "instance", 10),
    "batch norm": StreamConfig(5, 2, 2, 8, 12, 2, False, "replicate", "batch", 10),
    "separable": StreamConfig(5, 2, 2, 8, 12, 2, True, "zeros", "none", 10),
    "separable, reflected": StreamConfig(5, 1, 4, 8, 12, 2, True, "reflect", "instance", 10),
    "no strided layer": StreamConfig(5, 4, 1, 8, 8, 1, False, "reflect", "instance", 10),
    "one label per pixel": StreamConfig(5, 1, 1, 20, 40, 2, False, "reflect", "batch", 10),
}


@pytest.fixture(params=[(1, 0), (6000, 0), (6000, 1 << 20)], ids=["rows", "bands", "all layers kept"])
def _band_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    band, kept = request.param
    monkeypatch.setattr(streamed, "BAND_BYTES", band)
    monkeypatch.setattr(streamed, "KEPT_BYTES", kept)


def trained(config: StreamConfig) -> LowResolutionStream:
    """A stream whose batch norms have something to remember."""
    torch.manual_seed(0)
    stream = LowResolutionStream(config).train()
    stream(torch.rand(2, config.channels, 64, 64))
    return stream.eval()


def condition(cells: tuple[int, int], cell: int) -> tuple[Tensor, Tensor]:
    """Labels and one more plane of so many cells."""
    size = (cells[0] * cell, cells[1] * cell)
    return torch.randint(NUM_LABELS, (1, *size)), torch.rand(1, 1, *size)


def streamed_features(stream: FastStream, labels: Tensor, plane: Tensor, scratch: Path) -> KeptLayer:
    def read(start: int, stop: int) -> tuple[Tensor, Tensor]:
        return labels[:, start:stop], plane[:, :, start:stop]

    return stream_features(stream, (labels.shape[1], labels.shape[2]), read, in_files(scratch))


@pytest.mark.parametrize("native", ENGINES)
@pytest.mark.parametrize("cells", [(14, 5), (2, 3)])
@pytest.mark.parametrize("config", STREAMS.values(), ids=STREAMS.keys())
@pytest.mark.usefixtures("_band_bytes")
@torch.no_grad()
def test_bands_of_rows_give_what_the_definition_gives(
    config: StreamConfig, cells: tuple[int, int], native: bool, tmp_path: Path
) -> None:
    definition = trained(config)
    labels, plane = condition(cells, config.reduction * config.strided_reduction)
    planes = torch.cat([one_hot(labels, NUM_LABELS), plane], dim=1)
    expected = definition.blocks(definition.strided(definition.front(definition.reduction(planes))))

    fast = FastStream(definition, NUM_LABELS, torch.ones(10, 1, 1), native)
    features = streamed_features(fast, labels, plane, tmp_path)

    assert features.cells.shape[:2] == expected.shape[2:]
    found = features.values(0, cells[0])
    assert not found[:, config.max_width :].any()
    torch.testing.assert_close(found[:, : config.max_width], expected, atol=2e-5, rtol=0)
    torch.testing.assert_close(features.values(1, 2), found[:, :, 1:2], atol=0, rtol=0)
    assert len(list(tmp_path.iterdir())) <= (2 if config.norm == "instance" else 1)


@pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")
@torch.no_grad()
def test_without_instance_norms_nothing_differs_and_the_picture_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed, "BAND_BYTES", 1)
    fast = FastStream(trained(STREAMS["batch norm"]), NUM_LABELS, torch.ones(10, 1, 1))
    labels, plane = condition((19, 7), 4)
    asked: list[int] = []

    def read(start: int, stop: int) -> tuple[Tensor, Tensor]:
        asked.append(start)
        return labels[:, start:stop], plane[:, :, start:stop]

    features = stream_features(fast, (76, 28), read, in_files(tmp_path))
    torch.testing.assert_close(features.values(0, 19)[:, :12], fast.features(labels, plane), atol=0, rtol=0)
    assert len(asked) > 5
    assert asked == sorted(asked)


@torch.no_grad()
def test_statistics_far_from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands of very different means: their variances alone say nothing of the picture's."""
    monkeypatch.setattr(streamed, "BAND_BYTES", 1)
    definition = trained(StreamConfig(1, 1, 1, 8, 8, 1, False, "replicate", "instance", 10))
    plane = 100 * torch.arange(40.0)[:, None].expand(1, 1, 40, 8) + torch.rand(1, 1, 40, 8)
    fast = FastStream(definition, 0, torch.ones(10, 1, 1), native=library.missing() is None)
    features = stream_features(fast, (40, 8), lambda start, stop: (None, plane[:, :, start:stop]), in_memory)
    expected = definition.double().blocks(definition.front(plane.double()))
    torch.testing.assert_close(features.values(0, 40)[:, :8].double(), expected, atol=1e-4, rtol=0)


def test_a_grid_of_one_row_cannot_be_reflected(tmp_path: Path) -> None:
    fast = FastStream(trained(STREAMS["no strided layer"]), NUM_LABELS, torch.ones(10, 1, 1), native=False)
    labels, plane = condition((1, 3), 4)
    with pytest.raises(InputError, match="cannot be padded with its reflection"):
        streamed_features(fast, labels, plane, tmp_path)
