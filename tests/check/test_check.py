import json
from pathlib import Path

import numpy as np
import pytest

from pixelwise import images
from pixelwise.check import check_folder
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

LABELS = LabelSpec(names=("a", "b", "never"), ids=(0, 1, 2), ignore_id=255)


def fill(folder: Path, count: int = 3, height: int = 4) -> Path:
    for index in range(count):
        label = np.zeros((height, 5), np.uint8)
        label[0] = 1
        images.write(folder / "label" / f"{index}.png", label)
        images.write(folder / "image" / f"{index}.jpg", np.full((height, 5, 3), index, np.uint8))
    return folder


def test_a_sound_folder_has_no_problems(tmp_path: Path):
    fill(tmp_path / "train")
    fill(tmp_path / "val", count=2, height=6)
    report = check_folder(tmp_path, labels=LABELS)
    assert report.ok
    assert [(split.name, split.files, split.num_samples) for split in report.splits] == [
        ("train", {"image": 3, "label": 3}, 3),
        ("val", {"image": 2, "label": 2}, 2),
    ]
    assert report.sizes == {"5x4": 3, "5x6": 2}
    assert report.formats == {"image": {"3 x uint8": 5}}


def test_classes_are_counted_with_those_that_never_occur(tmp_path: Path):
    report = check_folder(fill(tmp_path), labels=LABELS)
    rows = {row.name: (row.value, row.num_pixels, row.share, row.num_maps) for row in report.classes}
    assert rows == {"a": (0, 45, 0.75, 3), "b": (1, 15, 0.25, 3), "never": (2, 0, 0, 0), "don't care": (255, 0, 0, 0)}


def test_without_a_spec_ids_are_listed(tmp_path: Path):
    report = check_folder(fill(tmp_path))
    assert [(row.value, row.name) for row in report.classes] == [(0, ""), (1, "")]


def test_pairs_without_a_spec_are_told_how_one_may_begin(tmp_path: Path):
    (problem,) = check_folder(fill(tmp_path)).problems
    assert problem.file == str(tmp_path / "spec.json")
    assert "training needs it" in problem.text
    (tmp_path / "spec.json").write_text(problem.text.partition("begin as ")[2])
    assert check_folder(tmp_path).ok
    spec = FolderSpec.read(tmp_path)
    assert (spec.condition, spec.target) == (("label",), "image")
    assert spec.labels == LabelSpec(("class 0", "class 1"))


def test_a_split_of_inputs_only_does_not_hide_how_a_spec_may_begin(tmp_path: Path):
    fill(tmp_path / "train")
    images.write(tmp_path / "test" / "label" / "0.png", np.zeros((4, 5), np.uint8))
    problem = check_folder(tmp_path).problems[-1]
    assert json.loads(problem.text.partition("begin as ")[2])["target"] == "image"


def test_a_spec_for_colours_and_one_for_other_pictures(tmp_path: Path):
    for index in range(2):
        colours = np.array([[[1, 2, 3], [1, 2, 3], [255, 0, 0]]], np.uint8)
        images.write(tmp_path / "drawn" / "label" / f"{index}.png", colours)
        images.write(tmp_path / "drawn" / "image" / f"{index}.png", colours)
        images.write(tmp_path / "deep" / "image" / f"{index}.png", colours)
        images.write(tmp_path / "deep" / "depth" / f"{index}.png", np.zeros((1, 3), np.uint16))
    for name in ("drawn", "deep"):
        (problem,) = check_folder(tmp_path / name).problems
        (tmp_path / name / "spec.json").write_text(problem.text.partition("begin as ")[2])
        assert check_folder(tmp_path / name).ok
    assert FolderSpec.read(tmp_path / "drawn").labels == LabelSpec(
        ("#010203", "#ff0000"), colours=((1, 2, 3), (255, 0, 0))
    )
    deep = FolderSpec.read(tmp_path / "deep")
    assert (deep.condition, deep.target, deep.images["depth"]) == (("image",), "depth", ImageSpec(1, "uint16"))


def test_what_is_no_pairs_needs_no_spec(tmp_path: Path):
    for index in range(2):
        images.write(tmp_path / "image" / f"{index}.png", np.zeros((4, 4, 3), np.uint8))
    assert check_folder(tmp_path).ok


def test_without_a_spec_colours_are_listed(tmp_path: Path):
    images.write(tmp_path / "label" / "x.png", np.array([[[1, 2, 3], [1, 2, 3], [255, 0, 0]]], np.uint8))
    assert [(row.value, row.num_pixels) for row in check_folder(tmp_path).classes] == [("#010203", 2), ("#ff0000", 1)]


def test_colours_of_the_spec_are_named(tmp_path: Path):
    images.write(tmp_path / "label" / "x.png", LABELS.colourise(np.array([[0, 1, 1, 3]])))
    report = check_folder(tmp_path, labels=LABELS)
    assert report.ok
    assert [(row.name, row.num_pixels) for row in report.classes] == [
        ("b", 2),
        ("a", 1),
        ("don't care", 1),
        ("never", 0),
    ]


def test_one_corrupt_photo_among_a_hundred_is_reported_and_the_rest_read(tmp_path: Path):
    fill(tmp_path, count=100)
    broken = tmp_path / "image" / "57.jpg"
    broken.write_bytes(broken.read_bytes()[:50])
    report = check_folder(tmp_path, labels=LABELS)
    assert [problem.file for problem in report.problems] == [str(broken)]
    assert "57.jpg: cannot be read" in report.problems[0].text
    assert report.formats == {"image": {"3 x uint8": 99}}
    assert report.sizes == {"5x4": 100}


def test_files_without_partner_are_reported_and_read(tmp_path: Path):
    fill(tmp_path)
    images.write(tmp_path / "label" / "alone.png", np.full((4, 5), 9, np.uint8))
    report = check_folder(tmp_path, labels=LABELS)
    texts = [problem.text for problem in report.problems]
    alone = tmp_path / "label" / "alone.png"
    assert texts[0] == f"{alone}: has no partner {tmp_path}/image/alone.*"
    assert texts[1].startswith(f"{alone}: id 9 (20 pixels) not in the label spec")
    assert len(texts) == 2
    assert report.splits[0].num_samples == 3


def test_sizes_that_differ_are_reported(tmp_path: Path):
    fill(tmp_path)
    images.write(tmp_path / "label" / "1.png", np.zeros((4, 6), np.uint8))
    report = check_folder(tmp_path, labels=LABELS)
    assert len(report.problems) == 1
    assert "1.png is 6x4" in report.problems[0].text


def test_images_unlike_the_others_are_reported(tmp_path: Path):
    fill(tmp_path)
    images.write(tmp_path / "image" / "1.jpg", np.zeros((4, 5), np.uint8))
    report = check_folder(tmp_path, labels=LABELS)
    assert len(report.problems) == 1
    assert "1.jpg: is 1 x uint8, most of 'image' are 3 x uint8" in report.problems[0].text


def test_the_folders_own_spec_counts(tmp_path: Path):
    for kind, value in (("heat", 100), ("photo", 200)):
        images.write(tmp_path / "train" / kind / "x.png", np.full((4, 5), value, np.uint8))
    spec = FolderSpec(("heat",), "photo", images={"heat": ImageSpec(1), "photo": ImageSpec(1, white=150)})
    (tmp_path / "spec.json").write_text(json.dumps(spec.to_json()), encoding="utf-8")
    report = check_folder(tmp_path)
    assert report.splits[0].files == {"heat": 1, "photo": 1}
    assert [problem.text.partition(": ")[2] for problem in report.problems] == [
        "values run from 200 to 200, expected 0..150 (white)"
    ]


def test_flat_names_are_splits(tmp_path: Path):
    fill(tmp_path / "source")
    for kind in ("label", "image"):
        (tmp_path / "source" / kind).rename(tmp_path / f"train_{kind}")
    assert [(split.name, split.num_samples) for split in check_folder(tmp_path).splits] == [("train", 3)]


@pytest.mark.parametrize(("kind", "num_values"), [("label", 2), ("image", 0)])
def test_a_single_folder_is_maps_or_photos(tmp_path: Path, kind: str, num_values: int):
    fill(tmp_path)
    folder = (tmp_path / kind).rename(tmp_path / "files")
    report = check_folder(folder)
    assert report.splits[0].num_samples == 3
    assert len(report.classes) == num_values


def test_progress_is_told_for_every_sample(tmp_path: Path):
    seen: list[tuple[int, int]] = []
    check_folder(fill(tmp_path), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_the_report_can_be_printed_and_stored(tmp_path: Path):
    fill(tmp_path)
    (tmp_path / "image" / "2.jpg").write_bytes(b"")
    report = check_folder(tmp_path, labels=LABELS)
    content = json.loads(json.dumps(report.to_json()))
    assert (content["ok"], content["root"]) == (False, str(tmp_path))
    text = report.to_text()
    assert "2.jpg: is empty (0 bytes)" in text
    assert "75.000%" in text
    assert text.endswith("1 problems")


def test_folders_that_cannot_be_checked_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no such folder"):
        check_folder(tmp_path / "gone")
    with pytest.raises(InputError, match="no images in it"):
        check_folder(tmp_path)


def test_what_the_spec_says_of_a_folder_counts_for_its_other_names(tmp_path: Path):
    fill(tmp_path / "train")
    (tmp_path / "train" / "image").rename(tmp_path / "train" / "images")
    spec = FolderSpec(labels=LABELS, images={"image": ImageSpec(1)})
    assert len(check_folder(tmp_path, spec=spec).problems) == 3


def test_a_split_without_a_folder_is_a_problem(tmp_path: Path):
    fill(tmp_path / "train")
    images.write(tmp_path / "val" / "label" / "x.png", np.zeros((4, 5), np.uint8))
    report = check_folder(tmp_path, labels=LABELS)
    (problem,) = report.problems
    assert problem.text.startswith(f"{tmp_path}/val/image: no such folder, nor {tmp_path}/val_image, ")
    assert [(split.files, split.num_samples) for split in report.splits] == [
        ({"label": 3, "image": 3}, 3),
        ({"label": 1, "image": 0}, 0),
    ]
    spec = FolderSpec(("label", "inst"), labels=LABELS)
    missing = [
        Path(problem.file).relative_to(tmp_path).as_posix() for problem in check_folder(tmp_path, spec=spec).problems
    ]
    assert missing == ["train/inst", "val/inst", "val/image"]


def test_an_empty_folder_is_one_problem(tmp_path: Path):
    fill(tmp_path)
    for path in (tmp_path / "image").iterdir():
        path.rename(path.with_suffix(".svg"))
    (problem,) = check_folder(tmp_path).problems
    assert problem.text.startswith(f"{tmp_path}/image: no images in it")


def test_two_files_of_one_name_are_reported_and_the_rest_read(tmp_path: Path):
    fill(tmp_path)
    images.write(tmp_path / "image" / "1.png", np.zeros((4, 5, 3), np.uint8))
    report = check_folder(tmp_path, labels=LABELS)
    assert [problem.text for problem in report.problems] == [
        f"{tmp_path}/image/1.png: has the same name as 1.jpg; keep one of them"
    ]
    assert report.splits[0].num_samples == 3


def test_two_files_of_one_name_in_a_single_folder_are_reported(tmp_path: Path):
    images.write(tmp_path / "1.jpg", np.zeros((4, 5, 3), np.uint8))
    images.write(tmp_path / "1.png", np.zeros((4, 5, 3), np.uint8))
    assert [problem.file for problem in check_folder(tmp_path).problems] == [f"{tmp_path}/1.png"]


def test_a_published_data_set_is_not_taken_for_mirrored_folders(tmp_path: Path):
    for folder in ("images", "annotations"):
        images.write(tmp_path / folder / "validation" / "1.png", np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match=r"looks like ade20k, .*: use --dataset ade20k"):
        check_folder(tmp_path)


def test_photos_taken_for_label_maps_do_not_flood_the_report(tmp_path: Path):
    images.write(tmp_path / "label" / "x.png", np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    text = check_folder(tmp_path).to_text()
    assert len(text.splitlines()) < 300
    assert "more ids" in text
