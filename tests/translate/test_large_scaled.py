"""Pictures that are streamed finer or coarser than their input, against the same made whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, PHOTO_MODEL, save_tiny_denoiser, save_tiny_model

from pixelwise import images
from pixelwise.errors import InputError
from pixelwise.lowres import streamed
from pixelwise.models import streamed_asapnet
from pixelwise.render.window import Region
from pixelwise.translate import Translator, large, load
from pixelwise.translate.job_plan import plan
from pixelwise.translate.jobs import run
from pixelwise.translate.large import translate_large

Command = Callable[..., int]

SIZE = (53, 41)


@pytest.fixture(autouse=True)
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a picture of many megapixels would be cut."""
    monkeypatch.setattr(streamed_asapnet, "BAND_PARAMETER_BYTES", 4000)
    monkeypatch.setattr(streamed_asapnet, "BAND_BYTES", 16_000)
    monkeypatch.setattr(streamed_asapnet, "PART_WIDTH", 38)
    monkeypatch.setattr(streamed, "BAND_BYTES", 1000)


def random_map(path: Path, num_values: int, seed: int = 0) -> Path:
    blocks = np.random.default_rng(seed).integers(num_values, size=(9, 7), dtype=np.uint8)
    tifffile.imwrite(path, np.kron(blocks, np.ones((6, 6), np.uint8))[: SIZE[0], : SIZE[1]], tile=(16, 16))
    return path


def assert_alike(found: np.ndarray, expected: np.ndarray) -> None:
    """Sums in another order may fall on the other side of a rounding."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    difference = np.abs(found.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize(
    ("scale", "config"),
    [
        (2, {"neighbourhood": 3, "norm": "none"}),
        (3.7, {"bilinear": True, "cell": 8}),
        (0.5, {"neighbourhood": 3, "bilinear": True}),
        (0.3, {}),
    ],
)
def test_a_scale_by_rows_gives_what_the_whole_gives(tmp_path: Path, scale: float, config: dict[str, object]) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL, edges_in_mlp=True, **config))
    source, instances = random_map(tmp_path / "labels.tif", 3), random_map(tmp_path / "instances.tif", 200, seed=1)
    expected = translator(tifffile.imread(source), instances=tifffile.imread(instances), scale=scale)
    seen: list[tuple[int, int]] = []
    size, _ = translate_large(
        translator,
        source,
        tmp_path / "out.png",
        instances=instances,
        scale=scale,
        progress=lambda done, rows: seen.append((done, rows)),
    )
    assert size == expected.shape[:2]
    assert len(seen) > 2
    assert seen[-1] == (size[0], size[0])
    assert_alike(images.read(tmp_path / "out.png"), expected)


@pytest.mark.parametrize(
    ("scale", "region"),
    [(2, (30, 20, 41, 33)), (3.7, (90, 100, 60, 1)), (0.5, (20, 3, 6, 10)), (1000, (40_000, 30_000, 8, 9))],
)
def test_a_region_lies_in_the_scaled_picture(tmp_path: Path, scale: float, region: Region) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, bilinear=True))
    source = random_map(tmp_path / "labels.tif", 3)
    size, _ = translate_large(translator, source, tmp_path / "out.tif", region=region, scale=scale)
    assert size == region[2:]
    expected = translator(tifffile.imread(source), region=region, scale=scale)
    assert_alike(tifffile.imread(tmp_path / "out.tif"), expected)


@pytest.mark.parametrize("scale", [1, 2, 0.4])
@pytest.mark.parametrize("region", [None, (5, 3, 15, 12)])
def test_a_photo_with_its_alpha(tmp_path: Path, scale: float, region: Region | None) -> None:
    model = {"residual": True, "neighbourhood": 3, "passes": 2}
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, restores=True, **model))
    photo = np.random.default_rng(0).integers(256, size=(*SIZE, 4), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "photo.tif", photo, photometric="rgb", tile=(16, 16))
    translate_large(translator, tmp_path / "photo.tif", tmp_path / "out.png", region=region, scale=scale)
    expected = translator(photo, region=region, scale=scale)
    found = images.read(tmp_path / "out.png")
    np.testing.assert_array_equal(found[..., 3], expected[..., 3])
    assert_alike(found, expected)


def test_a_band_is_no_larger_than_asked_for_whatever_the_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, neighbourhood=1))
    np.save(tmp_path / "photo.npy", np.zeros((200, 40, 3), np.uint8))
    read: list[int] = []
    rendered = streamed_asapnet.StreamedAsapNet._render

    def render(self: streamed_asapnet.StreamedAsapNet, *arguments: object) -> object:
        ask = self._read
        self._read = lambda start, stop: read.append(stop - start) or ask(start, stop)
        try:
            return rendered(self, *arguments)
        finally:
            self._read = ask

    monkeypatch.setattr(streamed_asapnet.StreamedAsapNet, "_render", render)
    monkeypatch.setattr(streamed_asapnet, "BAND_PARAMETER_BYTES", 1 << 30)
    for scale, region in ((0.1, None), (1, (0, 0, 200, 1)), (1.5, (0, 0, 100, 60))):
        read.clear()
        name = f"{scale}.npy.png"
        translate_large(translator, tmp_path / "photo.npy", tmp_path / name, region=region, scale=scale)
        assert max(read) <= 16_000 / (4 * 3 * 40) + 6


@pytest.fixture
def translator(tmp_path: Path) -> Translator:
    return load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL), "cpu")


def test_what_a_scale_makes_large_goes_by_rows(
    translator: Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pixelwise_command: Command
) -> None:
    source = random_map(tmp_path / "labels.tif", 3)
    job, *_ = plan([str(source)], tmp_path / "out")
    monkeypatch.setattr(large, "_LARGE", 4 * SIZE[0] * SIZE[1])
    for region, scale, by_rows in (
        (None, 1, False), (None, 2, False), (None, 2.1, True), (None, 0.5, False),
        ((0, 0, 9, 9), 2.1, False), ((0, 0, 100, 100), 100, True),
    ):  # fmt: skip
        assert large.goes_by_rows(translator, job, region, scale) == by_rows
    monkeypatch.setattr(large, "_LARGE", SIZE[0] * SIZE[1] - 1)
    assert large.goes_by_rows(translator, job, scale=0.5), "the input is large"
    command = ("translate", source, "--model", tmp_path / "model.safetensors", "--scale", 2, "--out")
    for name in ("out.tif", "out.dzi"):
        assert pixelwise_command(*command, tmp_path / name) == 0
    assert_alike(tifffile.imread(tmp_path / "out.tif"), translator(tifffile.imread(source), scale=2))
    assert f'Width="{2 * SIZE[1]}" Height="{2 * SIZE[0]}"' in (tmp_path / "out.dzi").read_text()


def test_a_scale_that_leaves_nothing_is_told(translator: Translator, tmp_path: Path) -> None:
    source = random_map(tmp_path / "labels.tif", 3)
    (outcome,) = run(translator, plan([str(source)], tmp_path / "out"), scale=0.001)
    assert outcome.error == f"{source}: scale 0.001 leaves no pixel of {SIZE[1]}x{SIZE[0]} (width x height)"


def test_a_model_without_scales_refuses_them_before_it_reads(tmp_path: Path) -> None:
    translator = load(save_tiny_denoiser(tmp_path / "model.safetensors", 1), "cpu")
    images.write(tmp_path / "a.png", np.zeros((8, 8), np.uint8))
    refused = pytest.raises(InputError, match="this model makes as many pixels as it reads, scale cannot be 2")
    with refused:
        next(run(translator, plan([str(tmp_path / "a.png")], tmp_path / "out"), scale=2))
    with refused:
        translate_large(translator, tmp_path / "a.png", tmp_path / "new" / "out.tif", scale=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "model.safetensors"]
