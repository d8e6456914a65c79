"""The low-resolution stream by bands of rows, against the definition."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pixelwise.lowres.reference import LowResolutionStream, StreamConfig
from pixelwise.lowres.streamed import RowFile, stream_features

STREAMS = {
    "instance norm": StreamConfig(5, 1, 4, 8, 16, 3, False, "zeros", "instance", 10),
    "tent filter": StreamConfig(5, 4, 4, 8, 16, 2, False, "reflect", "instance", 10),
    "batch norm": StreamConfig(3, 2, 2, 8, 12, 2, False, "replicate", "batch", 10),
    "separable": StreamConfig(3, 2, 2, 8, 12, 2, True, "zeros", "none", 10),
    "no strided layer": StreamConfig(3, 4, 1, 8, 8, 1, False, "reflect", "instance", 10),
}


@pytest.mark.parametrize("band", [1, 3, 1000])
@pytest.mark.parametrize("config", STREAMS.values(), ids=STREAMS.keys())
@torch.no_grad()
def test_bands_of_rows_give_what_the_whole_gives(config: StreamConfig, band: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    stream = LowResolutionStream(config).train()
    cell = config.reduction * config.strided_reduction
    planes = torch.rand(2, config.channels, 7 * cell, 5 * cell)
    stream(planes)  # a batch norm has something to remember
    stream.eval()
    expected = stream.blocks(stream.strided(stream.front(stream.reduction(planes))))

    features = stream_features(stream, lambda: iter(planes.split(band, dim=2)), tmp_path)

    assert features.shape == expected.shape
    torch.testing.assert_close(features.rows(0, 7), expected, atol=2e-5, rtol=0)
    torch.testing.assert_close(features.rows(2, 5), expected[:, :, 2:5], atol=2e-5, rtol=0)
    assert list(tmp_path.iterdir()) == [features.path]


def test_a_row_file_gives_back_what_was_written(tmp_path: Path) -> None:
    rows = torch.rand(2, 3, 40, 5)
    file = RowFile.write(tmp_path / "rows", rows.split(7, dim=2))
    torch.testing.assert_close(file.rows(11, 31), rows[:, :, 11:31], atol=0, rtol=0)
    torch.testing.assert_close(torch.cat(list(file.bands()), dim=2), rows, atol=0, rtol=0)
