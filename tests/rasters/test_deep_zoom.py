import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from pixelwise.codecs import IMAGE_MODES, decode
from pixelwise.errors import InputError
from pixelwise.rasters import write_deep_zoom

RANDOM = np.random.default_rng(0)
SPACE = "{http://schemas.microsoft.com/deepzoom/2008}"


def pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def write(path: Path, image: np.ndarray, **options: object) -> None:
    channels = image.shape[2] if image.ndim == 3 else 1
    with write_deep_zoom(path, image.shape[:2], channels, image.dtype.name, **options) as push:
        for top in range(0, len(image), 23):
            push(image[top : top + 23])


def halved(image: np.ndarray) -> np.ndarray:
    padded = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), "edge")
    means = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2, -1).mean((1, 3), np.float64)
    return np.floor(means + 0.5).astype(image.dtype)


@pytest.mark.parametrize(("tile", "overlap"), [(254, 1), (30, 1), (30, 0), (14, 3)])
@pytest.mark.parametrize("size", [(61, 97), (30, 31), (1, 1)])
def test_every_tile_is_its_part_of_its_level(tmp_path: Path, size: tuple[int, int], tile: int, overlap: int):
    image = pixels(*size, 3)
    write(tmp_path / "a.dzi", image, suffix=".png", tile=tile, overlap=overlap)
    folders = sorted((tmp_path / "a_files").iterdir(), key=lambda folder: -int(folder.name))
    assert [int(folder.name) for folder in folders] == list(range(len(folders)))[::-1]
    for folder in folders:
        height, width = image.shape[:2]
        names = {f"{column}_{row}.png" for row in range(-(-height // tile)) for column in range(-(-width // tile))}
        assert {file.name for file in folder.iterdir()} == names
        for file in folder.iterdir():
            left, top = (tile * int(place) for place in file.stem.split("_"))
            part = image[max(top - overlap, 0) : top + tile + overlap, max(left - overlap, 0) : left + tile + overlap]
            np.testing.assert_array_equal(decode(file, IMAGE_MODES), part)
        image = halved(image)
    assert image.shape[:2] == (1, 1)


def test_the_description_says_what_viewers_ask_for(tmp_path: Path):
    write(tmp_path / "a.dzi", pixels(61, 97, 3))
    root = ElementTree.parse(tmp_path / "a.dzi").getroot()
    assert root.tag == f"{SPACE}Image"
    assert root.attrib == {"Format": "jpg", "Overlap": "1", "TileSize": "254"}
    size = root.find(f"{SPACE}Size")
    assert size is not None
    assert size.attrib == {"Width": "97", "Height": "61"}


def test_libvips_makes_the_same_tiles(tmp_path: Path):
    pyvips = pytest.importorskip("pyvips")
    image = pixels(300, 203, 3)
    write(tmp_path / "a.dzi", image, suffix=".png", tile=62)
    picture = pyvips.Image.new_from_array(image)
    picture.dzsave(str(tmp_path / "b"), tile_size=62, overlap=1, suffix=".png", depth="onepixel")
    ours, theirs = tmp_path / "a_files", tmp_path / "b_files"
    names = {file.relative_to(theirs) for file in theirs.rglob("*.png")}
    assert {file.relative_to(ours) for file in ours.rglob("*.png")} == names
    for name in names:
        a, b = decode(ours / name, IMAGE_MODES), decode(theirs / name, IMAGE_MODES)
        assert a.shape == b.shape
        if name.parts[0] == "9":
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("image", [pixels(40, 50), pixels(40, 50, dtype="uint16"), pixels(40, 50, 4)])
def test_grey_sixteen_bits_and_alpha_are_kept_by_png(tmp_path: Path, image: np.ndarray):
    write(tmp_path / "a.dzi", image, suffix=".png")
    np.testing.assert_array_equal(decode(tmp_path / "a_files/6/0_0.png", IMAGE_MODES), image)


def test_nothing_is_there_before_all_is_complete(tmp_path: Path):
    with write_deep_zoom(tmp_path / "a.dzi", (64, 64), 3, "uint8") as push:
        push(pixels(64, 64, 3))
        assert not (tmp_path / "a.dzi").exists()
        assert not (tmp_path / "a_files").exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.dzi", "a_files"]


def test_a_pyramid_is_replaced_as_a_whole(tmp_path: Path):
    write(tmp_path / "a.dzi", pixels(100, 100, 3), tile=30)
    write(tmp_path / "a.dzi", pixels(20, 20, 3))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.dzi", "a_files"]
    assert len(list((tmp_path / "a_files").rglob("*.jpg"))) == 6


@pytest.mark.parametrize(
    ("channels", "dtype", "suffix"),
    [(1, "uint8", "jpg"), (3, "uint8", "jpg"), (2, "uint8", "png"), (4, "uint8", "png"), (3, "uint16", "png")],
)
def test_tiles_are_jpeg_where_that_keeps_the_picture(tmp_path: Path, channels: int, dtype: str, suffix: str):
    image = pixels(9, 7, channels).astype(dtype)
    write(tmp_path / "a.dzi", image)
    assert ElementTree.parse(tmp_path / "a.dzi").getroot().get("Format") == suffix
    tiles = {tile.suffix for tile in (tmp_path / "a_files").rglob("*_*")}
    assert tiles == {f".{suffix}"}
    if suffix == "png":
        np.testing.assert_array_equal(decode(tmp_path / "a_files" / "4" / "0_0.png", IMAGE_MODES), image)


def test_a_folder_that_may_be_anything_is_not_replaced(tmp_path: Path):
    (tmp_path / "a_files").mkdir()
    (tmp_path / "a_files" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="a_files is there already"):
        write(tmp_path / "a.dzi", pixels(20, 20, 3))
    assert (tmp_path / "a_files" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("earlier", [False, True])
def test_after_an_error_all_is_as_it_was(tmp_path: Path, error: type[BaseException], earlier: bool):
    if earlier:
        write(tmp_path / "a.dzi", pixels(64, 64, 3))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    def fail() -> None:
        with write_deep_zoom(tmp_path / "a.dzi", (64, 64), 3, "uint8", tile=16) as push:
            push(pixels(50, 64, 3))
            raise error

    with pytest.raises(error):
        fail()
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert earlier or not list(tmp_path.iterdir())


def test_too_few_rows_are_an_error_and_leave_nothing(tmp_path: Path):
    with (
        pytest.raises(ValueError, match="only 63 of 64 rows"),
        write_deep_zoom(tmp_path / "a.dzi", (64, 64), 3, "uint8") as push,
    ):
        push(pixels(63, 64, 3))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("room", [10, 300])
def test_on_a_full_disk_nothing_is_left(
    tmp_path: Path, room: int, full_disk: Callable[[int], AbstractContextManager[None]]
):
    with full_disk(room), pytest.raises(InputError, match=r"a\.dzi: cannot be written: File too large"):
        write(tmp_path / "a.dzi", pixels(64, 64, 3), tile=16)
    assert not list(tmp_path.iterdir())


def test_a_picture_that_would_not_fit_the_disk_is_refused_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000_000))
    message = r"a\.dzi: takes up to 1\.6 GB, but only 1\.0 GB are free"
    with pytest.raises(InputError, match=message), write_deep_zoom(tmp_path / "a.dzi", (20_000, 20_000), 3, "uint8"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "channels", "dtype", "options", "message"),
    [
        ("a.xml", 3, "uint8", {}, "written as .dzi"),
        ("a.dzi", 3, "uint8", {"suffix": ".tif"}, "tiles of Deep Zoom are .jpg or .png"),
        (
            "a.dzi",
            4,
            "uint8",
            {"suffix": ".jpg"},
            r"a\.dzi: tiles that are \.jpg files cannot keep 4 channels of uint8",
        ),
        ("a.dzi", 3, "float32", {"suffix": ".png"}, r"\.png files cannot keep 3 channels of float32"),
        ("a.dzi", 5, "uint8", {}, r"tiles that are \.jpg or \.png files cannot keep 5 channels of uint8"),
        ("a.dzi", 3, "uint8", {"tile": 33}, "must be even"),
        ("a.dzi", 3, "uint8", {"overlap": -1}, "must be even"),
    ],
)
def test_what_deep_zoom_cannot_be_is_refused(
    tmp_path: Path, name: str, channels: int, dtype: str, options: dict[str, object], message: str
):
    with pytest.raises(InputError, match=message), write_deep_zoom(tmp_path / name, (8, 8), channels, dtype, **options):
        pass
    assert not list(tmp_path.iterdir())
