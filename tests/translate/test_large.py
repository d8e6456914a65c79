"""Pictures that are streamed, against the same pictures translated whole."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from tiny_model import INSTANCE_MODEL, LABEL_MODEL, PHOTO_MODEL, TINY_RIVALS, save_tiny_model, save_tiny_rival

from pixelwise import images
from pixelwise.condition import ConditionSpec
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.lowres import streamed
from pixelwise.models import streamed_asapnet
from pixelwise.translate import Translator, load
from pixelwise.translate.large import translate_large
from pixelwise.translate.preview import preview

Command = Callable[..., int]

SIZE = (53, 41)


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a picture of many megapixels would be cut."""
    monkeypatch.setattr(streamed_asapnet, "BAND_PARAMETER_BYTES", 1000)
    monkeypatch.setattr(streamed_asapnet, "PART_WIDTH", 19)
    monkeypatch.setattr(streamed, "BAND_BYTES", 1000)


def random_map(path: Path, num_values: int, seed: int = 0) -> Path:
    blocks = np.random.default_rng(seed).integers(num_values, size=(9, 7), dtype=np.uint8)
    tifffile.imwrite(path, np.kron(blocks, np.ones((6, 6), np.uint8))[: SIZE[0], : SIZE[1]], tile=(16, 16))
    return path


def whole(translator: Translator, source: Path, instances: Path | None = None) -> np.ndarray:
    picture = translator.translate(translator.read_condition(source, instances))
    return images.from_tensor(picture[0], translator.manifest.target)


def assert_alike(found: np.ndarray, expected: np.ndarray) -> None:
    """Sums in another order may fall on the other side of a rounding."""
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    difference = np.abs(found.astype(int) - expected.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"bilinear": True},
        {"norm": "batch", "padding": "reflect", "cell": 8, "learned_reduction": 2},
        {"cell": 16, "bilinear": True},
        {"cell": 16, "norm": "none", "separable_blocks": True},
    ],
)
@pytest.mark.usefixtures("small_bands")
def test_a_label_map_by_rows_gives_what_the_whole_gives(config: dict[str, object], tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, **config))
    source = random_map(tmp_path / "labels.tif", 3)
    seen: list[tuple[int, int]] = []

    size, seconds = translate_large(
        translator, source, tmp_path / "out.tif", progress=lambda done, rows: seen.append((done, rows))
    )

    assert size == SIZE
    assert seconds > 0
    assert len(seen) > 2
    assert seen[-1] == (SIZE[0], SIZE[0])
    assert_alike(tifffile.imread(tmp_path / "out.tif"), whole(translator, source))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tif", "model.safetensors", "out.tif"]


@pytest.mark.usefixtures("small_bands")
@pytest.mark.parametrize("region", [(0, 0, 9, 41), (20, 7, 17, 30), (52, 40, 1, 1)])
def test_a_region_by_rows_is_a_part_of_the_whole(region: tuple[int, int, int, int], tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL, edges_in_mlp=True))
    source, instances = random_map(tmp_path / "labels.tif", 3), random_map(tmp_path / "instances.tif", 200, seed=1)
    top, left, height, width = region
    seen: list[tuple[int, int]] = []
    size, _ = translate_large(
        translator,
        source,
        tmp_path / "out.tif",
        instances=instances,
        region=region,
        progress=lambda done, rows: seen.append((done, rows)),
    )
    assert (size, seen[-1]) == ((height, width), (height, height))
    expected = whole(translator, source, instances)[top : top + height, left : left + width]
    assert_alike(tifffile.imread(tmp_path / "out.tif"), expected)


def test_regions_that_are_not_there(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL))
    source = random_map(tmp_path / "labels.tif", 3)
    for region, message in (((50, 0, 4, 4), r"labels\.tif: the window .* reaches beyond"), ((0, 0, 0, 4), "is empty")):
        with pytest.raises(InputError, match=message):
            translate_large(translator, source, tmp_path / "out.tif", region=region)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tif", "model.safetensors"]


@pytest.mark.usefixtures("small_bands")
def test_edges_of_instances_do_not_break_where_bands_meet(tmp_path: Path) -> None:
    path = save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL, edges_in_mlp=True, neighbourhood=3)
    translator = load(path)
    source, instances = random_map(tmp_path / "labels.tif", 3), random_map(tmp_path / "instances.tif", 200, seed=1)
    translate_large(translator, source, tmp_path / "out.tif", instances=instances)
    assert_alike(tifffile.imread(tmp_path / "out.tif"), whole(translator, source, instances))


@pytest.mark.usefixtures("small_bands")
@pytest.mark.parametrize(("unshuffle", "passes"), [(1, 1), (4, 1), (1, 3)])
def test_a_photo_with_a_residual_in_16_bits(unshuffle: int, passes: int, tmp_path: Path) -> None:
    config = {"residual": True, "neighbourhood": 3, "unshuffle": unshuffle, "passes": passes}
    path = save_tiny_model(tmp_path / "model.safetensors", PHOTO_MODEL, target=ImageSpec(3, "uint16"), **config)
    translator = load(path)
    photo = np.random.default_rng(0).integers(256, size=(*SIZE, 3), dtype=np.uint8)
    np.save(tmp_path / "photo.npy", photo)
    translate_large(translator, tmp_path / "photo.npy", tmp_path / "out.tif")
    found, expected = tifffile.imread(tmp_path / "out.tif"), whole(translator, tmp_path / "photo.npy")
    assert found.dtype == np.uint16
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 4  # of 65535


@pytest.mark.parametrize("size", [(53, 41), (1, 1), (3, 70)])
def test_a_picture_of_one_band(size: tuple[int, int], tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, cell=8, padding="reflect"))
    tifffile.imwrite(tmp_path / "labels.tif", np.random.default_rng(0).integers(3, size=size, dtype=np.uint8))
    translate_large(translator, tmp_path / "labels.tif", tmp_path / "out.tif")
    assert_alike(tifffile.imread(tmp_path / "out.tif"), whole(translator, tmp_path / "labels.tif"))


def test_deep_zoom(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL))
    translate_large(translator, random_map(tmp_path / "labels.tif", 3), tmp_path / "out.dzi")
    assert (tmp_path / "out.dzi").is_file()
    largest = max(int(level.name) for level in (tmp_path / "out_files").iterdir())
    with Image.open(tmp_path / "out_files" / str(largest) / "0_0.jpg") as tile:
        assert tile.size == SIZE[::-1]


def test_refuses_what_cannot_be_done_before_it_starts(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL))
    source = random_map(tmp_path / "labels.tif", 3)
    with pytest.raises(InputError, match=r"out\.npy: large pictures are written as \.tif, \.tiff, \.dzi, \.png, \.jpg"):
        translate_large(translator, source, tmp_path / "out.npy")
    (tmp_path / "out.tif").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"out\.tif is there already"):
        translate_large(translator, source, tmp_path / "out.tif")
    assert (tmp_path / "out.tif").read_bytes() == b"mine"
    constant = load(save_tiny_model(tmp_path / "constant.safetensors", LABEL_MODEL, constant_mlp=True))
    with pytest.raises(InputError, match="one MLP for all cells has no low-resolution stream"):
        translate_large(constant, source, tmp_path / "new.tif")


@pytest.mark.parametrize("replaced", ["labels.tif", "instances.tif"])
def test_an_input_is_never_replaced(tmp_path: Path, replaced: str) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", INSTANCE_MODEL))
    source, instances = random_map(tmp_path / "labels.tif", 3), random_map(tmp_path / "instances.tif", 9)
    before = (tmp_path / replaced).read_bytes()
    with pytest.raises(InputError, match=rf"{replaced}: is an input and would be replaced by a picture"):
        translate_large(translator, source, tmp_path / replaced, instances=instances, overwrite=True)
    assert (tmp_path / replaced).read_bytes() == before


def test_a_wrong_class_far_down_leaves_nothing_behind(tmp_path: Path) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL))
    labels = np.zeros(SIZE, np.uint8)
    labels[50, 3] = 77
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    with pytest.raises(InputError, match=r"labels\.tif: rows .*77"):
        translate_large(translator, tmp_path / "labels.tif", tmp_path / "out.tif")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tif", "model.safetensors"]


def test_the_command_writes_one_picture_of_any_size(pixelwise_command: Command, tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    source, out = random_map(tmp_path / "labels.tif", 3), tmp_path / "new" / "out.tif"
    assert pixelwise_command("translate", source, "--model", model, "--out", out) == 0
    assert tifffile.imread(out).shape == (*SIZE, 3)
    assert pixelwise_command("translate", source, "--model", model, "--out", out) == 1
    assert pixelwise_command("translate", source, "--model", model, "--out", out, "--overwrite") == 0
    part = ("--region", "10,8,20,16", "--out", out, "--overwrite")
    assert pixelwise_command("translate", source, "--model", model, *part) == 0
    with tifffile.TiffFile(out) as file:
        assert (file.pages.first.shape, file.pages.first.is_tiled) == ((20, 16, 3), True)


def test_the_command_refuses_what_one_file_cannot_hold(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    source = random_map(tmp_path / "labels.tif", 3)
    assert pixelwise_command("translate", source, source, "--model", model, "--out", tmp_path / "out.tif") == 1
    assert "out.tif: is one picture's name, expected a folder's" in capsys.readouterr().err
    assert pixelwise_command("translate", tmp_path, "--model", model, "--out", tmp_path / "out.dzi") == 1
    assert "out.dzi: is one picture's name, expected a folder's" in capsys.readouterr().err


@pytest.mark.usefixtures("small_bands")
def test_a_grey_model_takes_each_channel_of_a_colour_photo_by_itself(tmp_path: Path) -> None:
    grey = ImageSpec(1)
    model = save_tiny_model(
        tmp_path / "model.safetensors",
        ConditionSpec(image_channels=1),
        target=grey,
        restores=True,
        neighbourhood=3,
        residual=True,
        tanh=False,
    )
    translator = load(model, "cpu")
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    tifffile.imwrite(tmp_path / "photo.tif", photo, photometric="rgb", tile=(16, 16))
    remarks: list[str] = []
    translate_large(translator, tmp_path / "photo.tif", tmp_path / "out.tif", remark=remarks.append)
    with pytest.warns(UserWarning, match="each channel by itself"):
        expected = translator(photo)
    assert len(np.unique(expected - photo)) > 3
    assert_alike(tifffile.imread(tmp_path / "out.tif"), expected)
    assert remarks[0] == "grey model on a colour photo: each channel by itself"


def test_a_tiff_is_ordinary_for_models_that_cannot_go_by_rows(
    pixelwise_command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_tiny_rival(tmp_path / "dagan.safetensors", TINY_RIVALS["dagan"])
    source = random_map(tmp_path / "labels.tif", 3)
    assert pixelwise_command("translate", source, "--model", model, "--out", tmp_path / "out.tif") == 0
    assert tifffile.imread(tmp_path / "out.tif").shape == (*SIZE, 3)
    assert pixelwise_command("translate", source, "--model", model, "--out", tmp_path / "out.dzi") == 1
    assert "this dagan model cannot translate a picture in parts" in capsys.readouterr().err


@pytest.mark.usefixtures("small_bands")
def test_a_png_of_depth_that_goes_by_rows_has_a_preview(tmp_path: Path) -> None:
    depth = ImageSpec(1, "uint16", 10_000, unit="mm")
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, target=depth))
    source, out = random_map(tmp_path / "labels.tif", 3), tmp_path / "out.png"
    translate_large(translator, source, out)
    found, expected = images.read(out), whole(translator, source)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert np.abs(found.astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(images.read(tmp_path / "out_preview.png"), preview(found, depth))
    out.unlink()
    with pytest.raises(InputError, match=r"out_preview\.png is there already"):
        translate_large(translator, source, out)
    translate_large(translator, source, out, previews=False)


def test_what_a_pyramid_has_no_preview_of_is_said(tmp_path: Path) -> None:
    depth = ImageSpec(1, "uint16", 10_000, unit="mm")
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL, target=depth))
    remarks: list[str] = []
    translate_large(translator, random_map(tmp_path / "labels.tif", 3), tmp_path / "out.tif", remark=remarks.append)
    assert remarks == ["no preview of a pyramid"]
    out = tmp_path / "unwanted.tif"
    translate_large(translator, tmp_path / "labels.tif", out, previews=False, remark=remarks.append)
    assert remarks == ["no preview of a pyramid"]


def test_terminated_halfway_it_leaves_nothing_behind(
    pixelwise_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL)
    source = random_map(tmp_path / "labels.tif", 3)
    seen: list[set[str]] = []

    def terminate(*arguments: object) -> Iterator[torch.Tensor]:
        yield torch.zeros(1, 3, 10, SIZE[1])
        seen.append({path.name[:11] for path in tmp_path.iterdir()})
        signal.raise_signal(signal.SIGTERM)
        yield torch.zeros(1, 3, SIZE[0] - 10, SIZE[1])

    monkeypatch.setattr("pixelwise.translate.large._bands", terminate)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert pixelwise_command("translate", source, "--model", model, "--out", tmp_path / "out.tif") == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ".pixelwise-" in seen[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tif", "model.safetensors"]


def test_the_disk_must_hold_layers_and_picture_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(save_tiny_model(tmp_path / "model.safetensors", LABEL_MODEL))
    source = random_map(tmp_path / "map.tif", 3)
    assert translator.ready is not None
    for_layers_alone = translator.ready.scratch_bytes(SIZE)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=for_layers_alone))
    with pytest.raises(InputError, match=r"a\.tif: takes up to .* free on its disk"):
        translate_large(translator, source, tmp_path / "a.tif")
    assert not (tmp_path / "a.tif").exists()
