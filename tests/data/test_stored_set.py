from pathlib import Path

import pytest

from pixelwise.data import DATASETS


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("name", "files", "splits"),
    [
        ("facades", ("train/label/1.png", "holdout/image/1.png"), ["holdout", "train"]),
        ("facades", ("label/1.png", "image/1.png"), [""]),
        ("facades_cmp", ("base/1.png", "extended/1.png"), ["base", "extended"]),
        ("facades_cmp", ("val/label/1.png",), ["val"]),
        ("camvid", ("test/1.png", "testannot/1.png"), ["test"]),
        ("camvid", ("train/1.png", "valannot/1.png"), ["train", "val"]),
        ("camvid", ("train/label/1.png", "val/label/1.png"), ["train", "val"]),
        (
            "cityscapes",
            ("leftImg8bit/train_extra/1.png", "leftImg8bit/val/1.png", "gtFine/train/1.png"),
            ["train", "val"],
        ),
        ("ade20k", ("annotations/training/1.png", "images/validation/1.png"), ["train", "val"]),
        ("ade20k", ("train/label/1.png", "validation/image/1.png"), ["train", "validation"]),
        ("coco_stuff", ("train_img/1.png", "val_inst/1.png"), ["train", "val"]),
        ("maps", ("val/1.jpg", "notes/1.jpg"), ["val"]),
        ("maps", ("test/ab/1.jpg",), ["test"]),
        ("maps", ("ab/1.jpg",), [""]),
        ("bsd_gray", ("bsd68/1.png", "train/1.png"), ["train", "test"]),
        ("bsd_color", ("cbsd68/1.png",), ["val"]),
        ("bsd_gray", ("1.png",), []),
    ],
)
def test_all_splits_that_exist_are_found(tmp_path: Path, name: str, files: tuple[str, ...], splits: list[str]):
    assert list(DATASETS[name].layouts(touch(tmp_path, *files))) == splits


def test_signs_must_all_be_there(tmp_path: Path):
    assert not DATASETS["cityscapes"].resembles(touch(tmp_path, "leftImg8bit/train/1.png"))
    assert DATASETS["cityscapes"].resembles(touch(tmp_path, "gtFine/train/1.png"))
    assert not DATASETS["maps"].resembles(tmp_path)
