"""Every data set in the layout that its publisher gives it, with a file or two of the right kind."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise import images
from pixelwise.data import DATASETS
from pixelwise.data.ade20k import LABELS as ADE20K
from pixelwise.data.camvid import LABELS as CAMVID
from pixelwise.data.cityscapes import LABELS as CITYSCAPES
from pixelwise.data.coco_stuff import LABELS as COCO_STUFF
from pixelwise.data.facades import CMP_LABELS as CMP
from pixelwise.data.nyu_depth import LABELS as NYU
from pixelwise.data.paired_data import PairedData
from pixelwise.labels import LabelSpec

SIZE = (24, 32)


def open_with(root: Path, name: str, split: str, files: dict[str, np.ndarray]) -> PairedData:
    for path, array in files.items():
        images.write(root / path, array)
    return DATASETS[name](root, split)


def ids(*values: int, dtype: str = "uint8") -> np.ndarray:
    return np.resize(np.array(values, dtype), SIZE)


def photo(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, channels), np.uint8)


def test_cityscapes(tmp_path: Path):
    stem = "aachen/aachen_000000_000019"
    files = {
        f"leftImg8bit/train/{stem}_leftImg8bit.png": photo(),
        f"gtFine/train/{stem}_gtFine_labelIds.png": ids(0, 7, 26, 33),
        f"gtFine/train/{stem}_gtFine_instanceIds.png": ids(0, 7, 26_000, 26_001, dtype="uint16"),
        f"gtFine/train/{stem}_gtFine_color.png": photo(),
    }
    samples = open_with(tmp_path, "cityscapes", "train", files)
    sample = samples[0]
    assert samples.names == (stem,)
    assert samples.spec.num_labels == 35
    assert sample.condition.labels.unique().tolist() == [0, 7, 26, 33]
    assert sample.condition.instances.max() == 26_001


@pytest.mark.parametrize(("split", "folder"), [("train", "training"), ("val", "validation")])
def test_ade20k(tmp_path: Path, split: str, folder: str):
    files = {f"images/{folder}/ADE_1.jpg": photo(1), f"annotations/{folder}/ADE_1.png": ids(0, 1, 150)}
    samples = open_with(tmp_path, "ade20k", split, files)
    assert samples.spec.num_labels == 151
    assert samples[0].condition.labels.unique().tolist() == [0, 149, 150]
    assert samples[0].target.shape == (1, 3, *SIZE)


def test_coco_stuff(tmp_path: Path):
    files = {"val_img/1.jpg": photo(1), "val_label/1.png": ids(0, 181, 255), "val_inst/1.png": ids(1, 2)}
    samples = open_with(tmp_path, "coco_stuff", "val", files)
    assert samples.spec.num_labels == 183
    assert samples.spec.instances
    assert samples[0].condition.labels.unique().tolist() == [0, 181, 182]


@pytest.mark.parametrize(("maps", "photos"), [("test/label", "test/image"), ("testannot", "test")])
def test_camvid(tmp_path: Path, maps: str, photos: str):
    samples = open_with(tmp_path, "camvid", "test", {f"{maps}/1.png": ids(0, 10, 11), f"{photos}/1.png": photo()})
    assert samples.spec.num_labels == 12
    assert samples[0].condition.labels.unique().tolist() == [0, 10, 11]


def test_facades(tmp_path: Path):
    samples = open_with(tmp_path, "facades", "val", {"val/label/1.png": ids(0, 4), "val/image/1.jpg": photo()})
    assert samples.spec.num_labels == 5


@pytest.mark.parametrize(
    ("split", "maps", "photos"),
    [
        ("base", "base", "base"),
        ("train", "base", "base"),
        ("val", "extended", "extended"),
        ("val", "val/label", "val/image"),
        ("base", "base/label", "base/image"),
    ],
)
def test_facades_cmp(tmp_path: Path, split: str, maps: str, photos: str):
    files = {f"{maps}/cmp_b0001.png": ids(1, 12), f"{photos}/cmp_b0001.jpg": photo()}
    samples = open_with(tmp_path, "facades_cmp", split, files)
    assert samples.spec.num_labels == 12
    assert samples[0].condition.labels.unique().tolist() == [0, 11]


@pytest.mark.parametrize("folder", ["train", "train/ab"])
def test_maps(tmp_path: Path, folder: str):
    both = np.concatenate([photo() // 2, photo() // 2 + 128], axis=1)
    to_map = open_with(tmp_path, "maps", "train", {f"{folder}/1.png": both})
    to_photo = DATASETS["maps_to_photo"](tmp_path, "train")
    assert to_map[0].condition.image.max() < 0 < to_map[0].target.min()
    assert torch.equal(to_photo[0].target, to_map[0].condition.image)


def test_nyu_depth(tmp_path: Path):
    files = {
        "train/image/1.jpg": photo(),
        "train/depth/1.png": ids(0, 5_000, 10_000, dtype="uint16"),
        "train/label/1.png": ids(0, 38, 39),
    }
    depth = open_with(tmp_path, "nyu_depth", "train", files)[0]
    rooms = DATASETS["nyu_photo"](tmp_path, "train")
    assert depth.target.unique().tolist() == [-1, 0, 1]
    assert depth.condition.image.shape == (1, 3, SIZE[0] - 16, SIZE[1] - 16)
    assert rooms.spec.num_labels == 40
    assert rooms[0].condition.labels.max() == 39


@pytest.mark.parametrize(("name", "channels", "folder"), [("bsd_gray", 1, "set12"), ("bsd_color", 3, "cbsd68")])
def test_bsd(tmp_path: Path, name: str, channels: int, folder: str):
    samples = open_with(tmp_path, name, "val", {f"{folder}/1.png": photo(channels)})
    noise = samples[0].condition.image - samples[0].target
    assert samples.spec.image_channels == channels
    assert noise.std().item() * 255 / 2 == pytest.approx(25, rel=0.15)


@pytest.mark.parametrize(
    ("labels", "num_classes", "first", "last"),
    [
        (ADE20K, 150, "wall", "flag"),
        (CAMVID, 11, "sky", "bicyclist"),
        (CITYSCAPES, 35, "unlabeled", "license plate"),
        (COCO_STUFF, 182, "person", "wood"),
        (CMP, 12, "background", "shop"),
        (NYU, 39, "wall", "otherfurniture"),
    ],
)
def test_class_tables_are_complete(labels: LabelSpec, num_classes: int, first: str, last: str):
    assert labels.num_classes == len(set(labels.names)) == num_classes
    assert (labels.names[0], labels.names[-1]) == (first, last)
