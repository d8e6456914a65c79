"""Published data sets in their own layouts, sound and with every kind of fault."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pixelwise import images
from pixelwise.check import check_dataset, check_folder
from pixelwise.check.soundness import Report
from pixelwise.data import DATASETS
from pixelwise.errors import InputError

SIZE = (24, 32)


def ids(value: int, dtype: str = "uint8") -> np.ndarray:
    return np.full(SIZE, value, dtype)


def photo() -> np.ndarray:
    return np.full((*SIZE, 3), 90, np.uint8)


@dataclass(frozen=True)
class Tree:
    """A data set's files: by kind, where those of a sample lie, and one's content."""

    splits: tuple[str, ...]
    files: dict[str, str]
    contents: dict[str, np.ndarray]

    def write(self, root: Path) -> Path:
        for split in self.splits:
            for name in "abc":
                for kind, content in self.contents.items():
                    images.write(self.path(root, kind, split, name), content)
        return root

    def path(self, root: Path, kind: str, split: str, name: str) -> Path:
        return root / self.files[kind].format(split=split, name=name)


CITYSCAPES = Tree(
    ("train", "val", "test"),
    {
        "label": "gtFine/{split}/bonn/{name}_gtFine_labelIds.png",
        "inst": "gtFine/{split}/bonn/{name}_gtFine_instanceIds.png",
        "image": "leftImg8bit/{split}/bonn/{name}_leftImg8bit.png",
    },
    {"label": ids(26), "inst": ids(26_001, "uint16"), "image": photo()},
)
TREES = {
    "cityscapes": CITYSCAPES,
    "ade20k": Tree(
        ("training", "validation"),
        {"label": "annotations/{split}/{name}.png", "image": "images/{split}/{name}.jpg"},
        {"label": ids(150), "image": photo()},
    ),
    "coco_stuff": Tree(
        ("train", "val"),
        {
            "label": "{split}_label/{name}.png", "inst": "{split}_inst/{name}.png", "image": "{split}_img/{name}.jpg",
        },
        {"label": ids(181), "inst": ids(3), "image": photo()},
    ),
    "facades_cmp": Tree(
        ("base", "extended"),
        {"label": "{split}/cmp_{name}.png", "image": "{split}/cmp_{name}.jpg"},
        {"label": ids(12), "image": photo()},
    ),
    "camvid": Tree(
        ("train", "val", "test"),
        {"label": "{split}annot/{name}.png", "image": "{split}/{name}.png"},
        {"label": ids(11), "image": photo()},
    ),
    "nyu_depth": Tree(
        ("train", "val"),
        {"image": "{split}/image/{name}.jpg", "depth": "{split}/depth/{name}.png"},
        {"image": photo(), "depth": ids(9_999, "uint16")},
    ),
    "maps": Tree(("train", "val"), {"ab": "{split}/{name}.jpg"}, {"ab": photo()}),
    "bsd_gray": Tree(("train", "set12", "bsd68"), {"image": "{split}/{name}.png"}, {"image": ids(9)}),
}  # fmt: skip
PAIRED = [name for name, tree in TREES.items() if len(tree.files) > 1]
LABELLED = [name for name, tree in TREES.items() if "label" in tree.files]


def problems(report: Report, root: Path) -> list[str]:
    return [problem.text.replace(f"{root}/", "") for problem in report.problems]


@pytest.mark.parametrize("name", TREES)
def test_a_sound_data_set_has_no_problems(tmp_path: Path, name: str) -> None:
    tree = TREES[name]
    report = check_dataset(tree.write(tmp_path), name)
    assert problems(report, tmp_path) == []
    assert [split.num_samples for split in report.splits] == [3] * len(tree.splits)
    assert all(split.files == dict.fromkeys(tree.files, 3) for split in report.splits)
    assert report.sizes == {"32x24": 3 * len(tree.splits)}
    seen = [row for row in report.classes if row.num_pixels]
    assert [row.share for row in seen] == ([1.0] if name in LABELLED else [])
    assert all(row.name for row in report.classes)


@pytest.mark.parametrize("name", PAIRED)
def test_files_without_partner_are_named_with_what_they_lack(tmp_path: Path, name: str) -> None:
    tree = TREES[name]
    kinds = list(tree.files)
    gone = [
        tree.path(tree.write(tmp_path), kind, tree.splits[0], place) for kind, place in zip(kinds, "ab", strict=False)
    ]
    for path in gone:
        path.unlink()
    report = check_dataset(tmp_path, name)
    assert len(report.problems) == 2
    for path, problem in zip(gone, report.problems, strict=True):
        assert str(path.with_suffix("")) in problem.text.partition("has no partner")[2]
    assert [split.num_samples for split in report.splits] == [1] + [3] * (len(tree.splits) - 1)


@pytest.mark.parametrize("name", TREES)
def test_damaged_files_do_not_stop_the_check(tmp_path: Path, name: str) -> None:
    tree = TREES[name]
    tree.write(tmp_path)
    broken = [tree.path(tmp_path, kind, split, "b") for split in tree.splits for kind in tree.files]
    for path in broken:
        path.write_bytes(path.read_bytes()[:30])
    report = check_dataset(tmp_path, name)
    assert sorted(problem.file for problem in report.problems) == sorted(map(str, broken))
    assert all("cannot be read" in problem.text for problem in report.problems)
    assert report.sizes == {"32x24": 2 * len(tree.splits)}


@pytest.mark.parametrize("name", LABELLED)
def test_ids_outside_the_spec_are_counted(tmp_path: Path, name: str) -> None:
    tree = TREES[name]
    path = tree.path(tree.write(tmp_path), "label", tree.splits[-1], "c")
    strange = tree.contents["label"].copy()
    strange[0, :7] = 200
    images.write(path, strange)
    (problem,) = check_dataset(tmp_path, name).problems
    assert problem.text.startswith(f"{path}: id 200 (7 pixels) not in the label spec")


@pytest.mark.parametrize("name", PAIRED)
def test_sizes_that_differ_are_named(tmp_path: Path, name: str) -> None:
    tree = TREES[name]
    kind = next(iter(tree.files))
    path = tree.path(tree.write(tmp_path), kind, tree.splits[0], "a")
    images.write(path, tree.contents[kind][1:])
    (problem,) = check_dataset(tmp_path, name).problems
    assert f"{path} is 32x23" in problem.text


@pytest.mark.parametrize(
    ("name", "kind", "content", "text"),
    [
        ("cityscapes", "image", ids(1), "24x32x1 uint8, expected 3 channels of uint8"),
        ("nyu_depth", "depth", ids(10_001, "uint16"), "values run from 10001 to 10001, expected 0..10000 (white)"),
        ("nyu_depth", "depth", ids(1), "24x32x1 uint8, expected 1 channels of uint16"),
        ("maps", "ab", photo()[:, 1:], "is 31 pixels wide, expected two halves of one width"),
        ("bsd_gray", "image", photo(), "24x32x3 uint8, expected 1 channels of uint8"),
    ],
)
def test_what_the_data_set_does_not_store_is_reported(
    tmp_path: Path, name: str, kind: str, content: np.ndarray, text: str
) -> None:
    tree = TREES[name]
    path = tree.path(tree.write(tmp_path), kind, tree.splits[0], "a")
    images.write(path, content)
    (problem,) = check_dataset(tmp_path, name).problems
    assert problem.file == str(path)
    assert text in problem.text


def test_photos_of_one_channel_are_welcome_where_the_data_set_has_some(tmp_path: Path) -> None:
    images.write(TREES["ade20k"].write(tmp_path) / "images" / "training" / "a.jpg", ids(1))
    report = check_dataset(tmp_path, "ade20k")
    assert report.ok
    assert report.formats == {"image": {"1 x uint8": 1, "3 x uint8": 5}}


def test_files_too_small_for_the_frame_are_reported(tmp_path: Path) -> None:
    tree = TREES["nyu_depth"]
    tree.write(tmp_path)
    for kind in tree.files:
        images.write(tree.path(tmp_path, kind, "val", "c"), tree.contents[kind][:16])
    report = check_dataset(tmp_path, "nyu_depth")
    assert problems(report, tmp_path) == [
        f"val/{path}: is 32x16 pixels, too small to cut off 8 on every side" for path in ("image/c.jpg", "depth/c.png")
    ]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    root = CITYSCAPES.write(tmp_path)

    def path(kind: str, split: str, name: str) -> Path:
        return CITYSCAPES.path(root, kind, split, name)

    path("image", "train", "a").write_bytes(b"")
    images.write(path("label", "train", "a"), ids(77))
    path("inst", "train", "b").unlink()
    images.write(path("label", "val", "c"), photo())
    images.write(path("image", "test", "b"), photo()[:, :9])
    assert problems(check_dataset(root, "cityscapes"), root) == [
        "gtFine/train/bonn/b_gtFine_labelIds.png: has no partner gtFine/train/bonn/b_gtFine_instanceIds.png",
        "gtFine/train/bonn/a_gtFine_labelIds.png: id 77 (768 pixels) not in the label spec (35 classes with ids 0..34)",
        "leftImg8bit/train/bonn/a_leftImg8bit.png: is empty (0 bytes)",
        "gtFine/val/bonn/c_gtFine_labelIds.png: colour #5a5a5a (768 pixels) not among the spec's 35 colours",
        "the files of one sample must have one size (width x height): "
        "gtFine/test/bonn/b_gtFine_labelIds.png is 32x24, gtFine/test/bonn/b_gtFine_instanceIds.png is 32x24, "
        "leftImg8bit/test/bonn/b_leftImg8bit.png is 9x24",
    ]


@pytest.mark.parametrize("remains", ["gtFine", "leftImg8bit"])
def test_a_missing_half_is_told_once_for_each_split(tmp_path: Path, remains: str) -> None:
    gone = {"gtFine": "leftImg8bit", "leftImg8bit": "gtFine"}[remains]
    (CITYSCAPES.write(tmp_path) / gone).rename(tmp_path / "elsewhere")
    report = check_dataset(tmp_path, "cityscapes")
    assert problems(report, tmp_path) == [f"{gone}/{split}: no such folder" for split in CITYSCAPES.splits]
    assert [split.num_samples for split in report.splits] == [0, 0, 0]


@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if dataset.signs])
def test_published_data_sets_are_recognised(tmp_path: Path, name: str) -> None:
    tree = TREES[name]
    for sign in DATASETS[name].signs if name == "facades_cmp" else ():
        images.write(tmp_path / sign, ids(1))
    with pytest.raises(InputError, match=f"looks like {name}, .* use --dataset {name}"):
        check_folder(tree.write(tmp_path))


@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    images.write(tmp_path / "holiday" / "1.jpg", photo())
    (tmp_path / "spec.json").write_text("{}")
    with pytest.raises(InputError, match=rf"holds no split of {name}; there is no .*train"):
        check_dataset(tmp_path, name)
    with pytest.raises(InputError, match="nowhere: no such folder"):
        check_dataset(tmp_path / "nowhere", name)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data set 'city'; there are paired_folder, facades, "):
        check_dataset(tmp_path, "city")


def test_progress_counts_the_samples_of_all_splits(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    check_dataset(CITYSCAPES.write(tmp_path), "cityscapes", progress=lambda *counts: seen.append(counts))
    assert seen == [(done, 9) for done in range(1, 10)]
