import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelwise import images
from pixelwise.data.layout import Folder, Layout
from pixelwise.data.paired_folder import FolderSpec, PairedFolder, paired_folder
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

LABELS = LabelSpec(names=("a", "b"), ignore_id=255)
SPEC = FolderSpec(labels=LABELS)
RANDOM = np.random.default_rng(0)


def write(path: Path, array: np.ndarray) -> None:
    images.write(path, array)


def photo(height: int = 6, width: int = 8) -> np.ndarray:
    return RANDOM.integers(0, 256, (height, width, 3), np.uint8)


def label(height: int = 6, width: int = 8) -> np.ndarray:
    return RANDOM.choice(np.array([0, 1, 255], np.uint8), (height, width))


def pairs(root: Path, split: str = "train", spec: FolderSpec = SPEC, frame: int = 0) -> PairedFolder:
    return PairedFolder(spec.layout(root, split, frame=frame))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("b", "a", "city/c"):
        write(tmp_path / "train" / "label" / f"{name}.png", label())
        write(tmp_path / "train" / "image" / f"{name}.png", photo())
    return tmp_path


def test_samples_hold_what_the_files_hold(root: Path):
    samples = pairs(root)
    assert samples.names == ("a", "b", "city/c")
    assert (samples.spec.num_labels, samples.spec.image_channels, samples.image) == (3, 0, None)
    sample = samples[2]
    assert (sample.names, sample.target.shape) == (("city/c",), (1, 3, 6, 8))
    stored = images.read(root / "train" / "image" / "city" / "c.png")
    np.testing.assert_array_equal(images.from_tensor(sample.target[0], samples.target), stored)
    stored = images.read_labels(root / "train" / "label" / "city" / "c.png", LABELS)
    np.testing.assert_array_equal(sample.condition.labels[0], stored)


def test_reading_twice_gives_the_same(root: Path):
    samples = pairs(root)
    assert torch.equal(samples[0].target, samples[0].target)


def test_samples_end(root: Path):
    samples = pairs(root)
    assert sum(1 for _ in samples) == len(samples) == 3


def test_data_sets_travel_to_workers(root: Path):
    samples = pairs(root)
    assert pickle.loads(pickle.dumps(samples))[1].names == ("b",)


@pytest.mark.parametrize("layout", ["{split}/{kind}", "{split}_{kind}"])
@pytest.mark.parametrize("names", [("label", "image"), ("labels", "images"), ("label", "img")])
def test_usual_layouts_and_names_are_found(tmp_path: Path, layout: str, names: tuple[str, str]):
    for kind, array in zip(names, (label(), photo()), strict=True):
        write(tmp_path / layout.format(split="val", kind=kind) / "x.png", array)
    assert pairs(tmp_path, "val").names == ("x",)


def test_a_folder_without_splits_is_read_with_an_empty_one(tmp_path: Path):
    write(tmp_path / "label" / "x.png", label())
    write(tmp_path / "image" / "x.png", photo())
    assert len(pairs(tmp_path, "")) == 1


def test_any_folder_name_is_an_image(tmp_path: Path):
    write(tmp_path / "train" / "infrared" / "x.png", RANDOM.integers(0, 65536, (6, 8), np.uint16))
    write(tmp_path / "train" / "photo" / "x.jpg", photo())
    spec = FolderSpec(("infrared",), "photo", images={"infrared": ImageSpec(1, "uint16")})
    samples = pairs(tmp_path, "train", spec)
    assert samples.spec.image_channels == 1
    assert samples.image == ImageSpec(1, "uint16")
    assert samples[0].condition.image.shape == (1, 1, 6, 8)


def test_label_maps_may_be_what_is_to_be_made(root: Path):
    samples = pairs(root, "train", FolderSpec(("image",), "label", LABELS))
    assert (samples.target, samples.spec.labels, samples.spec.image_channels) == (LABELS, None, 3)
    sample = samples[0]
    assert (sample.target.shape, sample.target.dtype) == ((1, 6, 8), torch.int32)
    stored = images.read_labels(root / "train" / "label" / "a.png", LABELS)
    np.testing.assert_array_equal(sample.target[0], stored)
    with pytest.raises(InputError, match=r"label: has label maps, but the data set's spec names no classes"):
        pairs(root, "train", FolderSpec(("image",), "label"))


def test_zeros_are_holes_where_the_spec_says_so(tmp_path: Path):
    depth = np.array([[0, 1, 5000], [10_000, 0, 1]], np.uint16)
    write(tmp_path / "train" / "depth" / "x.png", depth)
    write(tmp_path / "train" / "image" / "x.png", photo(2, 3))
    stored = ImageSpec(1, "uint16", 10_000, unit="mm", holes=True)
    sample = pairs(tmp_path, "train", FolderSpec(("image",), "depth", images={"depth": stored}))[0]
    assert torch.equal(sample.valid[0, 0], torch.from_numpy(depth != 0))
    for images_of in ({"depth": ImageSpec(1, "uint16", 10_000)}, {"depth": stored, "image": ImageSpec()}):
        target = "depth" if len(images_of) == 1 else "image"
        condition = "image" if target == "depth" else "depth"
        spec = FolderSpec((condition,), target, images=images_of)
        assert pairs(tmp_path, "train", spec)[0].valid is None


def test_labels_instances_and_an_image_make_one_condition(root: Path):
    for name in ("a", "b", "city/c"):
        write(root / "train" / "inst" / f"{name}.png", np.full((6, 8), 26_001, np.uint16))
        write(root / "train" / "sketch" / f"{name}.png", photo())
    samples = pairs(root, "train", FolderSpec(("label", "instance", "sketch"), labels=LABELS))
    assert set(samples[0].condition.planes()) == {"labels", "instances", "image"}
    assert samples.spec.instances
    assert samples[0].condition.instances.unique().tolist() == [26_001]


def test_the_folder_can_say_what_it_holds(root: Path):
    (root / "spec.json").write_text(json.dumps(SPEC.to_json()), encoding="utf-8")
    assert paired_folder(root, "train").spec.labels == LABELS


def test_specs_survive_json():
    spec = FolderSpec(("label", "inst"), "depth", LABELS, {"depth": ImageSpec(1, "uint16", 10_000)})
    assert FolderSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"spec\.json: "),
        ("[]", r"not a folder spec: expected an object of fields, got \[\]"),
        ('{"images": 3}', "not a folder spec: expected an object of fields, got 3"),
        ('{"labels": []}', r"not a folder spec: not a label spec: expected an object of fields, got \[\]"),
        ('{"label": {}}', "not a folder spec"),
        ('{"labels": {"title": "x"}}', "not a label spec"),
        ('{"images": {"image": {"dtype": "int4"}}}', "int4"),
        ('{"condition": []}', "at least one folder"),
        ('{"condition": ["a", "b"]}', "at most one image"),
        ('{"condition": ["label", "labels"]}', r"folders \['label', 'labels'\] would be the same part"),
        ('{"condition": ["label", "inst", "instances"]}', r"folders \['inst', 'instances'\] would be the same"),
        ('{"target": "inst"}', "must be an image or a label map"),
        ('{"target": "labels"}', "the folder 'label' cannot be condition and target"),
        ('{"target": 3}', "'target' must be text, got 3"),
        ('{"condition": "label"}', "'condition' must be a list of text, got 'label'"),
        ('{"condition": ["images"], "target": "image"}', "the folder 'images' cannot be condition and target"),
        ('{"images": {"imgae": {}}}', r"images names \['imgae'\], but the folders are \['label', 'image'\]"),
        ('{"images": {"image": {"grey_as_colour": "no"}}}', "'grey_as_colour' must be true or false"),
        ('{"images": {"image": {"white": 300}}}', "uint8 holds at most 255, white cannot be 300"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_wrong_spec_file_is_named(root: Path, text: str, message: str):
    (root / "spec.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"spec\.json: .*{message}|{message}"):
        paired_folder(root, "train")


def test_a_missing_spec_is_asked_for(root: Path):
    with pytest.raises(InputError, match=r"spec\.json: no such file"):
        paired_folder(root, "train")
    with pytest.raises(InputError, match=r"label.a\.png.spec\.json: cannot be read: Not a directory"):
        paired_folder(root / "train" / "label" / "a.png", "train")
    with pytest.raises(InputError, match="names no classes"):
        pairs(root, "train", FolderSpec())


def test_a_missing_folder_says_where_was_looked(root: Path):
    with pytest.raises(InputError, match=r"val.label: no such folder, nor .*val_label, .*val.labels"):
        pairs(root, "val")


def test_files_without_partner_are_named(root: Path):
    write(root / "train" / "label" / "alone.png", label())
    write(root / "train" / "image" / "city" / "lost.png", photo())
    with pytest.raises(InputError, match=r"2 files lack a partner .*alone\.png.*lost\.png"):
        pairs(root)


def test_two_files_of_one_name_are_refused(root: Path):
    write(root / "train" / "image" / "a.jpg", photo())
    with pytest.raises(InputError, match=r"has the same name as a\.(png|jpg)"):
        pairs(root)


def test_an_empty_folder_is_named(tmp_path: Path):
    (tmp_path / "train" / "label").mkdir(parents=True)
    (tmp_path / "train" / "image").mkdir()
    with pytest.raises(InputError, match=r"label: no images in it"):
        pairs(tmp_path, "train")


def test_sizes_that_differ_are_named_with_their_files(root: Path):
    write(root / "train" / "label" / "a.png", label(6, 9))
    with pytest.raises(InputError, match=r"label.a\.png is 9x6, .*image.a\.png is 8x6"):
        pairs(root)[0]


def test_other_files_and_hidden_ones_are_passed_over(root: Path):
    for name in ("notes.txt", ".DS_Store", "._a.png"):
        (root / "train" / "image" / name).write_text("x")
    assert len(pairs(root)) == 3


def test_hidden_folders_are_passed_over_and_links_followed_but_not_back(root: Path):
    write(root / "train" / "image" / ".ipynb_checkpoints" / "a.png", photo())
    for kind, array in (("label", label()), ("image", photo())):
        write(root / "elsewhere" / kind / "d.png", array)
        (root / "train" / kind / "far").symlink_to(root / "elsewhere" / kind)
        (root / "train" / kind / "up").symlink_to("..")
    assert pairs(root).names == ("a", "b", "city/c", "far/d")


def test_a_spec_file_may_begin_with_a_byte_order_mark(root: Path):
    (root / "spec.json").write_text(json.dumps(SPEC.to_json()), encoding="utf-8-sig")
    assert paired_folder(root, "train").spec.labels == LABELS


def test_endings_tell_parts_that_share_a_folder(tmp_path: Path):
    for name in ("x", "y"):
        write(tmp_path / f"{name}_photo.png", photo())
        write(tmp_path / f"{name}_ids.png", label())
    folders = {"image": Folder(tmp_path, "_photo.png"), "label": Folder(tmp_path, "_ids.png")}
    samples = PairedFolder(Layout(folders, labels=LABELS, images={"image": ImageSpec()}))
    assert samples.names == ("x", "y")
    assert {part: path.name for part, path in samples.files(1).items()} == {
        "target": "y_photo.png",
        "labels": "y_ids.png",
    }


def test_a_frame_is_cut_off_every_part(root: Path):
    whole, cut = pairs(root)[0], pairs(root, "train", frame=2)[0]
    assert torch.equal(cut.target, whole.target[..., 2:-2, 2:-2])
    assert torch.equal(cut.condition.labels, whole.condition.labels[..., 2:-2, 2:-2])
    with pytest.raises(InputError, match=r"a\.png: is 8x6 pixels, too small to cut off 3"):
        pairs(root, "train", frame=3)[0]
