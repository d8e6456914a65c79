"""What measures make of pictures whose figures are known."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import LABEL_MODEL, LABELS
from tiny_pairs import write_pairs
from torch import Tensor

from pixelwise import images
from pixelwise.checkpoint import manifest_for, read_manifest, resolve
from pixelwise.condition import Condition, PairedSample
from pixelwise.data.paired_folder import FolderSpec, PairedFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.errors import InputError
from pixelwise.evaluation import Examination, Setting, markdown, prepare, protocol_for, score, score_targets
from pixelwise.evaluation.distances import RealSet, distances
from pixelwise.evaluation.inception import write_real_statistics
from pixelwise.evaluation.json_file import json_text
from pixelwise.evaluation.measure import Figures
from pixelwise.evaluation.measures import MEASURES
from pixelwise.evaluation.own_data import own_protocol
from pixelwise.evaluation.protocols import PROTOCOLS
from pixelwise.evaluation.scores import caveats_of
from pixelwise.images import ImageSpec
from pixelwise.metrics.frechet import FeatureStatistics, write_statistics
from pixelwise.metrics.inception import REDUCTIONS
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.segmenters import Segmenter


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "pairs")


def examined(pairs: Path, *measures: str, **setting: object) -> Examination:
    protocol = replace(own_protocol(pairs, "val"), measures=measures)
    return prepare(Setting(protocol, pairs, device="cpu", **setting))  # type: ignore[arg-type]


def black(condition: Condition) -> Tensor:
    return torch.full((1, 3, *condition.size), -1.0)


def test_every_measure_that_protocols_name_exists() -> None:
    assert {name for protocol in PROTOCOLS.values() for name in protocol.measures} <= MEASURES.keys()


def test_l1_of_black_is_how_bright_the_photos_are(pairs: Path) -> None:
    figures = score(black, "black", examined(pairs, "l1")).figures
    assert figures == {"l1": pytest.approx(np.mean([0, 60, 120, 180]) / 255, abs=1e-6)}


def test_pictures_too_small_for_a_measure_are_left_out_and_counted(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs")
    alone = score(black, "black", examined(pairs, "vif", "l1"))
    assert np.isnan(alone.figures["vif"])
    assert not np.isnan(alone.figures["l1"])
    assert alone.caveats == ("vif leaves out 4 of 4 pictures, of less than 41 pixels on a side",)


@pytest.mark.usefixtures("wise", "inception")
def test_own_pairs_of_other_sizes_and_channels_are_measured_as_far_as_can_be(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs")
    (pairs / "spec.json").write_text(json.dumps(FolderSpec(labels=LABELS, images={"image": ImageSpec(4)}).to_json()))
    for path in pairs.glob("*/image/*.png"):
        images.write(path, np.full((16, 16, 4), 60, np.uint8))
    examination = prepare(Setting(own_protocol(pairs, "val"), pairs, segmenter="wise", device="cpu"))
    refused = [remark.partition(" is not measured: its network reads ") for remark in examination.remarks]
    assert [name for name, _, _ in refused] == [
        "lpips_alex", "inception_published", "inception_clean", "segmentation", "segmenter_features"
    ]  # fmt: skip
    assert {reason for _, _, reason in refused} == {
        f"pictures of {read} channels, the targets have 4" for read in ("1 or 3", "3")
    }
    found = score(lambda condition: torch.full((1, 4, *condition.size), -1.0), "black", examination)
    assert (found.figures["seams_8"], found.figures["l1"]) == (1, pytest.approx(60 / 255, abs=1e-6))
    assert "seams_16 leaves out 4 of 4 pictures, of less than 17 pixels on a side" in found.caveats


def test_what_is_not_at_hand_is_said_and_the_rest_measured(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(pairs / "nowhere"))
    examination = examined(pairs, "inception_clean", "lpips_alex", "segmentation", "segmenter_features", "l1")
    assert [measure.name for measure in examination.measures] == ["l1"]
    assert [remark.partition(" is not measured: ")[0] for remark in examination.remarks] == [
        "inception_clean",
        "lpips_alex",
        "segmentation",
        "segmenter_features",
    ]
    assert "no Inception v3 (FID) weights at hand; give the file, or download https://" in examination.remarks[0]
    assert "no segmenter was given" in examination.remarks[2]


@pytest.fixture
def wise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmenter that reads the class of a pixel from its red: 0, 1, 2 of 255."""

    def find(pictures: Tensor) -> Tensor:
        return ((pictures[:, 0] + 1) * 127.5).round().long().clamp(0, 2)

    segmenter = Segmenter("wise", 3, find, "0123456789abcdef", lambda pictures: pictures.mean(dim=(2, 3)))
    monkeypatch.setattr("pixelwise.evaluation.measures.segmenter_named", lambda *_: segmenter)


def painted(condition: Condition) -> Tensor:
    """Each class in a red of its own, which the segmenter knows."""
    assert condition.labels is not None
    return (condition.labels[:, None].float().expand(-1, 3, -1, -1).clamp(max=2) / 127.5) - 1


@pytest.mark.usefixtures("wise")
def test_pictures_that_show_what_was_asked_for_are_right(pairs: Path) -> None:
    figures = score(painted, "painter", examined(pairs, "segmentation", segmenter="wise")).figures
    assert (figures["mean_iou"], figures["pixel_accuracy"]) == (1, 1)
    assert set(figures["class_iou"].values()) == {1}  # type: ignore[union-attr]
    assert sum(figures["class_area"].values()) == pytest.approx(1)  # type: ignore[union-attr]
    # Black is class 0 everywhere.
    wrong = score(black, "black", examined(pairs, "segmentation", segmenter="wise")).figures
    assert wrong["pixel_accuracy"] == pytest.approx(wrong["class_area"]["a"])  # type: ignore[index]


def test_what_a_segmenter_remarks_stands_beside_its_figures(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = Segmenter("wise", 3, lambda pictures: torch.zeros(1, *pictures.shape[2:]).long(), "0" * 64, remark="so")
    monkeypatch.setattr("pixelwise.evaluation.measures.segmenter_named", lambda *_: segmenter)
    caveats = score(black, "black", examined(pairs, "segmentation", segmenter="wise")).caveats
    assert "segmentation by wise, 00000000; so" in caveats


@pytest.mark.usefixtures("wise")
def test_only_judged_classes_count(pairs: Path) -> None:
    protocol = own_protocol(pairs, "val")
    judged = replace(LABELS, names=("c", "a"), colours=LABELS.colours[:3], ids=(1, 4))
    protocol = replace(protocol, measures=("segmentation",), judged=judged)
    examination = prepare(Setting(protocol, pairs, segmenter="wise", device="cpu"))
    figures = score(black, "black", examination).figures
    assert figures["class_area"].keys() == {"a", "c"}  # type: ignore[union-attr]
    # Black is found as the first judged class, c.
    assert figures["pixel_accuracy"] == pytest.approx(figures["class_area"]["c"])  # type: ignore[index]


@pytest.mark.usefixtures("wise")
def test_distances_of_a_segmenters_features_have_names_of_their_own(pairs: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    examination = examined(pairs, "segmenter_features", segmenter="wise", kept=kept)
    figures = score(black, "black", examination).figures
    assert {name.partition("_")[0] for name in figures} == {"frechet", "kernel"}
    assert figures.keys() >= {"frechet_segmenter_train", "kernel_segmenter_val", "kernel_segmenter_val_error"}
    assert sorted(path.name for path in kept.iterdir()) == ["real-train.sqlite", "real-val.sqlite"]
    assert score(black, "black", examination).figures == figures


@pytest.mark.usefixtures("wise")
def test_real_photos_are_judged_beside(pairs: Path) -> None:
    real = score_targets(examined(pairs, "segmentation", "segmenter_features", "l1", segmenter="wise"))
    assert real is not None
    assert real.real
    assert "l1" not in real.figures
    assert "frechet_segmenter_train" in real.figures
    assert "frechet_segmenter_val" not in real.figures
    assert real.caveats[0] == "segmentation by wise, 01234567"
    assert score_targets(examined(pairs, "l1")) is None


@pytest.mark.usefixtures("wise")
def test_a_model_that_is_called_real_is_a_model(pairs: Path) -> None:
    examination = examined(pairs, "segmentation", "segmenter_features", segmenter="wise")
    called_real, called_black = score(black, "real", examination), score(black, "black", examination)
    assert called_real.figures == called_black.figures
    assert caveats_of([called_real]) == caveats_of([called_black]) != []
    assert (called_real.real, called_real.to_json()["real"]) == (False, False)
    assert "| real |" in markdown([called_real])


@pytest.fixture
def inception(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that see of each colour the mean, or with the other way to reduce pictures its square."""

    class Seen(torch.nn.Module):
        def __init__(self, power: int) -> None:
            super().__init__()
            self.power = power

        def forward(self, pictures: Tensor) -> Tensor:
            return pictures.mean(dim=(2, 3)) ** self.power

    powers = dict(zip(REDUCTIONS.values(), (1, 2), strict=True))
    monkeypatch.setattr("pixelwise.metrics.inception.load_inception", lambda by, *_: Seen(powers[by]))
    monkeypatch.setattr("pixelwise.metrics.inception.NUM_FEATURES", 3)


@pytest.mark.usefixtures("inception")
def test_each_way_to_reduce_pictures_has_figures_of_its_own(pairs: Path) -> None:
    def figures(*names: str) -> Figures:
        return score(black, "black", examined(pairs, *names)).figures

    both = figures("inception_published", "inception_clean")
    assert both == {**figures("inception_published"), **figures("inception_clean")}
    assert both["fid_published_train"] != both["fid_clean_train"]


@pytest.mark.usefixtures("inception")
def test_a_real_picture_that_changed_is_seen_anew_each_way(pairs: Path, tmp_path: Path) -> None:
    def figures(*names: str) -> Figures:
        return score(black, "black", examined(pairs, *names, kept=tmp_path / "kept")).figures

    figures("inception_published", "inception_clean")
    images.write(pairs / "train" / "image" / "1.png", np.full((16, 16, 3), 7, np.uint8))
    figures("inception_published")
    assert figures("inception_clean") == score(black, "black", examined(pairs, "inception_clean")).figures


@pytest.mark.usefixtures("inception")
def test_statistics_of_real_pictures_stand_for_them(
    pairs: Path, tmp_path: Path, pixelwise_command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert pixelwise_command("evaluate", "--data", pairs, "--write-statistics", tmp_path / "statistics") == 0
    protocol = protocol_for(pairs, None).name
    names = [f"{protocol}-{split}-inception-{way}.npz" for split in ("train", "val") for way in ("clean", "published")]
    assert sorted(path.name for path in (tmp_path / "statistics").iterdir()) == names
    assert f"wrote {tmp_path / 'statistics' / names[0]}\n" in capsys.readouterr().out
    examination = examined(pairs, "inception_clean", statistics=tmp_path / "statistics" / names[0])
    figures = score(black, "black", examination).figures
    assert figures["fid_clean_statistics"] == pytest.approx(figures["fid_clean_train"], rel=1e-12)


@pytest.mark.usefixtures("inception")
@pytest.mark.parametrize(("split", "name"), [("test", "test"), ("train", "train"), ("", "all")])
def test_pictures_are_compared_with_those_of_their_own_split(pairs: Path, split: str, name: str) -> None:
    for kind in ("label", "image"):
        if split != "train":
            (pairs / "val" / kind).rename(pairs / f"{split}_{kind}".lstrip("_"))
    protocol = replace(own_protocol(pairs, split), measures=("inception_published",))
    examination = prepare(Setting(protocol, pairs, device="cpu"))
    of_model, of_targets = score(black, "black", examination), score_targets(examination)
    assert of_targets is not None
    assert {*of_model.figures} == {
        f"{figure}_{other}{error}"
        for figure, error in (("fid_published", ""), ("kid_published", ""), ("kid_published", "_error"))
        for other in ("train", name)
    }
    assert not [figure for figure in of_targets.figures if f"_{name}" in figure]


@pytest.mark.usefixtures("inception")
def test_statistics_that_are_there_are_not_replaced(
    pairs: Path, tmp_path: Path, pixelwise_command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("evaluate", "--data", pairs, "--write-statistics")
    assert pixelwise_command(*command, tmp_path / "new") == 0
    assert pixelwise_command(*command, tmp_path / "new") == 1
    assert "is there already; name another folder" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert pixelwise_command(*command, tmp_path / "file") == 1
    assert "file" in capsys.readouterr().err
    assert pixelwise_command(*command, tmp_path / "more", "--segmenter", "mine.pt") == 1
    assert "--write-statistics has no use for mine.pt" in capsys.readouterr().err


@pytest.mark.usefixtures("inception")
def test_statistics_are_not_written_where_there_is_nothing_to_write(
    pairs: Path, tmp_path: Path, pixelwise_command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert pixelwise_command("evaluate", "facades", "--data", pairs, "--write-statistics", tmp_path / "new") == 1
    assert "measure facades in a call of its own" in capsys.readouterr().err
    without = replace(own_protocol(pairs, "val"), measures=("l1",))
    with pytest.raises(InputError, match=f"{without.name} has no FID that statistics could be for"):
        write_real_statistics(Setting(without, pairs), tmp_path / "new")
    for path in (*(pairs / "val" / "image").glob("[1-3]*"), *(pairs / "val" / "label").glob("[1-3]*")):
        path.unlink()
    with pytest.raises(InputError, match="pairs: distances are of sets of two pictures or more"):
        write_real_statistics(Setting(own_protocol(pairs, "val"), pairs), tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("inception")
@pytest.mark.parametrize(("features", "kind"), [("", "published"), ("inception-clean", "clean")])
def test_statistics_are_compared_with_features_of_their_kind(
    pairs: Path, tmp_path: Path, features: str, kind: str
) -> None:
    path = tmp_path / "statistics.npz"
    write_statistics(path, FeatureStatistics(np.zeros(3), np.eye(3), 100, features))
    examination = examined(pairs, "inception_published", "inception_clean", statistics=path)
    figures = score(black, "black", examination).figures
    assert [name for name in figures if name.endswith("_statistics")] == [f"fid_{kind}_statistics"]


@pytest.mark.parametrize(("size", "features"), [(4, ""), (3, "mine")])
@pytest.mark.usefixtures("inception")
def test_statistics_of_other_features_are_refused_before_the_work(
    pairs: Path, tmp_path: Path, size: int, features: str
) -> None:
    path = tmp_path / "statistics.npz"
    write_statistics(path, FeatureStatistics(np.zeros(size), np.eye(size), 100, features))
    with pytest.raises(InputError, match=rf"statistics of {size} features '{features}', expected 3 of inception-"):
        examined(pairs, "inception_clean", statistics=path)
    with pytest.raises(InputError, match="nowhere"):
        examined(pairs, "inception_clean", statistics=tmp_path / "nowhere.npz")


@pytest.mark.usefixtures("inception")
def test_statistics_that_nothing_is_compared_with_are_refused(pairs: Path, tmp_path: Path) -> None:
    path = tmp_path / "statistics.npz"
    write_statistics(path, FeatureStatistics(np.zeros(3), np.eye(3), 100, "inception-clean"))
    with pytest.raises(InputError, match=r"statistics of inception-clean, which own-.* measures no distance of"):
        examined(pairs, "inception_published", "l1", statistics=path)


def test_a_folder_of_weights_that_is_not_there_is_refused(pairs: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder of weights"):
        examined(pairs, "l1", weights=pairs / "nowhere")


def test_a_picture_that_is_right_leaves_no_mean(pairs: Path) -> None:
    examination = examined(pairs, "psnr")
    found = score(lambda condition: torch.full((1, 3, *condition.size), 120 / 127.5 - 1), "grey", examination)
    assert found.figures["psnr"] == np.inf
    assert found.caveats == ("psnr has no mean: it is infinite for 1 of 4 pictures",)
    assert json.loads(json_text(found.to_json()))["figures"]["psnr"] is None


def test_a_known_shift_is_the_frechet_distance(pairs: Path) -> None:
    protocol = own_protocol(pairs, "val")
    real = RealSet("val", protocol, protocol.open(pairs), None)
    measure = distances("brightness", ("d", "k"), lambda pictures: pictures.mean(dim=(2, 3)), [real])
    examination = examined(pairs, "l1")
    targets = [examination.sample(index) for index in range(4)]
    shifted = [measure.observe(sample.target + 0.5, sample) for sample in targets]
    assert measure.conclude(shifted)["d_val"] == pytest.approx(3 * 0.25, rel=1e-5)
    same = [measure.observe(sample.target, sample) for sample in targets]
    assert measure.conclude(same)["d_val"] == pytest.approx(0, abs=1e-12)
    assert measure.caveat(same) is None
    assert "2 pictures are fewer than the 3 dimensions" in str(measure.caveat(same[:2]))


@pytest.mark.parametrize("kept", [True, False])
def test_real_pictures_are_looked_at_once_for_all_models(pairs: Path, tmp_path: Path, kept: bool) -> None:
    protocol = own_protocol(pairs, "val")
    samples = protocol.open(pairs)
    read: list[int] = []

    class Watched:
        names = samples.names

        def __len__(self) -> int:
            return len(samples)

        def __getitem__(self, index: int) -> PairedSample:
            read.append(index)
            return samples[index]

    real = RealSet("val", protocol, Watched(), tmp_path / "kept" if kept else None)  # type: ignore[arg-type]
    measure = distances("brightness", ("d", "k"), lambda pictures: pictures.mean(dim=(2, 3)), [real])
    found = [np.full(3, number, np.float32) for number in range(4)]
    assert measure.conclude(found) == measure.conclude(found)
    assert read == [0, 1, 2, 3]


def test_a_measure_that_does_not_suit_the_samples_is_refused(pairs: Path) -> None:
    with pytest.raises(InputError, match="classes are compared, the samples' targets are pictures"):
        examined(pairs, "labels")


def test_protocols_are_found_by_the_data(pairs: Path, tmp_path: Path) -> None:
    manifest = manifest_for(AsapNetConfig(num_labels=4, out_channels=3), LABEL_MODEL)
    own = protocol_for(pairs, manifest)
    assert own.name.startswith("own-val-")
    assert own.text.startswith("4 pairs of pairs, as they are")
    (pairs / "val" / "image" / "3.png").unlink()
    (pairs / "val" / "label" / "3.png").unlink()
    assert protocol_for(pairs, manifest).name != own.name
    with pytest.raises(InputError, match="nowhere"):
        protocol_for(tmp_path / "nowhere", manifest)


def test_why_no_protocol_of_known_data_suits_is_said(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = StoredSet(lambda root, split: FolderSpec(labels=LABELS).layout(root, split), PairedFolder)
    own = own_protocol(pairs, "val")
    known = {name: replace(own, name=name, data=data) for name in ("known-v1", "known-8x8-v1")}
    monkeypatch.setattr("pixelwise.evaluation.own_data.PROTOCOLS", known)
    manifest = manifest_for(AsapNetConfig(num_labels=4, out_channels=1), LABEL_MODEL, target=ImageSpec(1))
    assert protocol_for(pairs, manifest) == own, "pairs that say what they are may be evaluated as such"
    (pairs / "spec.json").unlink()
    reason = "known-v1, known-8x8-v1: channels of the output: the model has 1, the samples have 3$"
    with pytest.raises(InputError, match=f"pairs: no protocol of these data suits the model: {reason}"):
        protocol_for(pairs, manifest)


@pytest.mark.skipif(not (Path(__file__).parents[2] / "../shared/data").is_dir(), reason="research data are not shipped")
def test_published_data_are_recognised() -> None:
    shared = Path(__file__).parents[2] / "../shared/data"
    facades, street = (read_manifest(resolve(name)) for name in ("facades", "street"))
    assert protocol_for(shared / "facades_mini", facades).name == "facades-mini-val-v1"
    several = "several protocols suit, give one of camvid-val-v1, camvid-val-240x320-v1, camvid-val-128x160-v1$"
    with pytest.raises(InputError, match=several):
        protocol_for(shared / "camvid", street)


def test_processes_can_be_given_every_protocol(pairs: Path) -> None:
    for protocol in (*PROTOCOLS.values(), own_protocol(pairs, "val")):
        setting = Setting(protocol, pairs)
        assert pickle.loads(pickle.dumps(setting)).protocol.name == protocol.name


@pytest.mark.usefixtures("wise")
def test_sets_of_one_picture_have_no_distances(pairs: Path) -> None:
    for path in [*(pairs / "val" / "label").iterdir(), *(pairs / "val" / "image").iterdir()]:
        if path.stem != "0":
            path.unlink()
    examination = examined(pairs, "segmenter_features", "l1", segmenter="wise")
    assert [measure.name for measure in examination.measures] == ["l1"]
    assert "distances are of sets of two pictures or more" in examination.remarks[0]
