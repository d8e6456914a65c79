from pathlib import Path

import pytest

from pixelwise.data.layout import Folder, Layout, mirrored_folder, mirrored_splits
from pixelwise.errors import InputError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_the_first_place_that_is_there_counts(tmp_path: Path):
    touch(tmp_path, "b/1.png", "c/1.png")
    assert Folder.first(tmp_path / "a", tmp_path / "b", tmp_path / "c").path == tmp_path / "b"
    with pytest.raises(InputError, match=r"x: no such folder, nor .*y$"):
        Folder.first(tmp_path / "x", tmp_path / "y").files()


def test_faults_can_be_collected_instead(tmp_path: Path):
    touch(tmp_path, "1.jpg", "1.png", "2.png")
    faults: list[tuple[Path, str]] = []
    found = Folder(tmp_path).files(complain=lambda path, text: faults.append((path, text)))
    assert found == {"1": tmp_path / "1.jpg", "2": tmp_path / "2.png"}
    assert faults == [(tmp_path / "1.png", "has the same name as 1.jpg; keep one of them")]
    for folder in (tmp_path / "gone", touch(tmp_path, "empty/1.txt") / "empty"):
        assert Folder(folder).files(complain=lambda path, text: faults.append((path, text))) == {}
    assert [path.name for path, _ in faults] == ["1.png", "gone", "empty"]


def test_a_missing_file_has_a_place(tmp_path: Path):
    assert Folder(tmp_path, "_ids.png").place("city/1") == f"{tmp_path}/city/1_ids.png"
    assert Folder(tmp_path).place("1") == f"{tmp_path}/1.*"


def test_splits_are_found_by_their_folders(tmp_path: Path):
    touch(
        tmp_path,
        "train/labels/1.png",
        "val_img/1.png",
        "val_label/1.png",
        "notes/1.png",
        ".old/label/1.png",
        "label.png",
    )
    assert mirrored_splits(tmp_path, ("label", "image")) == ("train", "val")
    assert mirrored_splits(tmp_path, ("image",)) == ("val",)
    assert mirrored_folder(tmp_path, "train", "label").path == tmp_path / "train" / "labels"
    assert mirrored_folder(tmp_path, "val", "image").path == tmp_path / "val_img"


def test_shapes_must_leave_something_inside_the_frame():
    layout = Layout({}, frame=8)
    layout.check_shape(Path("x.png"), (17, 17))
    with pytest.raises(InputError, match=r"x\.png: is 17x16 pixels, too small to cut off 8"):
        layout.check_shape(Path("x.png"), (16, 17, 3))


def test_halves_need_an_even_width():
    Layout({}).check_shape(Path("x.png"), (4, 7))
    with pytest.raises(InputError, match=r"x\.png: is 7 pixels wide"):
        Layout({}, halves=True).check_shape(Path("x.png"), (4, 7))
