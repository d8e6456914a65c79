"""A picture that is made tile by tile against the same made whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models import for_inference, tiled
from pixelwise.models.dncnn import DnCnn, DnCnnConfig
from pixelwise.models.tiled import Tiled
from pixelwise.render import Window

CONFIG = DnCnnConfig(image_channels=3, out_channels=3, width=4, depth=4)
PICTURE = torch.linspace(-9, 9, 2 * 3 * 53 * 41).sin().view(2, 3, 53, 41)


@pytest.fixture
def network() -> DnCnn:
    torch.manual_seed(0)
    network = DnCnn(CONFIG)
    network(Condition(image=PICTURE))
    return network.eval()


@pytest.fixture
def ready(network: DnCnn, monkeypatch: pytest.MonkeyPatch) -> Tiled:
    monkeypatch.setattr(tiled, "TILE", 16)
    ready = for_inference(network)
    assert isinstance(ready, Tiled)
    return ready


@torch.no_grad()
def whole(network: DnCnn) -> Tensor:
    return network(Condition(image=PICTURE)).image


def test_tiles_give_what_the_whole_gives(network: DnCnn, ready: Tiled) -> None:
    found = ready(Condition(image=PICTURE)).image
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, whole(network), atol=1e-5, rtol=0)


def test_less_than_the_reach_would_show(network: DnCnn, ready: Tiled) -> None:
    short = Tiled(network, CONFIG.depth - 1)(Condition(image=PICTURE)).image
    assert (short - whole(network)).abs().max() > 1e-3


@pytest.mark.parametrize("window", [Window(0, 0, 5, 7), Window(20, 11, 30, 30), Window(52, 40, 1, 1)])
def test_a_window_is_a_part_of_the_whole(network: DnCnn, ready: Tiled, window: Window) -> None:
    expected = whole(network)[..., window.top : window.bottom, window.left : window.right]
    torch.testing.assert_close(ready(Condition(image=PICTURE), window).image, expected, atol=1e-5, rtol=0)


def test_no_tile_is_larger_than_it_must_be(ready: Tiled, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, forward = [], DnCnn.forward
    monkeypatch.setattr(
        DnCnn, "forward", lambda self, part: sizes.append((len(part), *part.size)) or forward(self, part)
    )
    ready(Condition(image=PICTURE))
    assert max(sizes) == (1, 16 + 2 * CONFIG.depth, 16 + 2 * CONFIG.depth)


def test_a_tall_picture_by_rows_is_read_once_and_a_band_at_a_time(network: DnCnn, ready: Tiled, tmp_path: Path) -> None:
    tall = PICTURE[:1].repeat(1, 1, 9, 1)
    asked = []

    def read(start: int, stop: int) -> Condition:
        asked.append((start, stop))
        return Condition(image=tall[:, :, start:stop])

    bands = list(ready.by_rows((477, 41), read, tmp_path))
    assert {band.shape[2] for band in bands[:-1]} == {16}
    assert max(stop - start for start, stop in asked) == 16 + 2 * CONFIG.depth
    assert asked == [(max(top - 4, 0), min(top + 20, 477)) for top in range(0, 477, 16)]
    with torch.no_grad():
        expected = network(Condition(image=tall)).image
    torch.testing.assert_close(torch.cat(bands, dim=2), expected, atol=1e-5, rtol=0)
    assert ready.scratch_bytes((477, 41)) == 0


def test_a_wide_picture_comes_in_low_bands(ready: Tiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiled, "BAND_PIXELS", 41 * 6)
    bands = ready.by_rows((53, 41), lambda start, stop: Condition(image=PICTURE[:1, :, start:stop]), tmp_path)
    assert [band.shape[2] for band in bands] == [6] * 8 + [5]


def test_what_such_a_network_cannot_do_is_refused(ready: Tiled) -> None:
    with pytest.raises(InputError, match="scale cannot be 2"):
        ready(Condition(image=PICTURE), scale=2)
    with pytest.raises(InputError, match="reaches beyond the picture"):
        ready(Condition(image=PICTURE), Window(50, 0, 4, 4))
    with pytest.raises(InputError, match="no editing sessions"):
        ready.edit(Condition(image=PICTURE[:1]))


def test_a_condition_without_a_picture_is_refused(ready: Tiled) -> None:
    labels = Condition(labels=torch.zeros(1, 53, 41, dtype=torch.int64))
    with pytest.raises(InputError, match="image"):
        ready(labels, Window(0, 0, 4, 4))
