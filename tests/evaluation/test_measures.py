"""What measures make of pictures whose figures are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_examination import black, examined
from tiny_model import LABELS
from tiny_pairs import draw, write_pairs
from torch import Tensor

from pixelwise import images
from pixelwise.condition import Condition
from pixelwise.data.paired_folder import FolderSpec
from pixelwise.errors import InputError
from pixelwise.evaluation import Examination, Setting, markdown, prepare, score, score_targets
from pixelwise.evaluation.json_file import json_text
from pixelwise.evaluation.measures import MEASURES
from pixelwise.evaluation.own_data import own_protocol
from pixelwise.evaluation.protocols import PROTOCOLS
from pixelwise.evaluation.scores import caveats_of
from pixelwise.images import ImageSpec
from pixelwise.segmenters import Segmenter


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


@pytest.mark.parametrize("size", [(16, 4), (4, 16), (16, 8)])
def test_seams_are_measured_in_the_direction_that_has_borders(tmp_path: Path, size: tuple[int, int]) -> None:
    pairs = write_pairs(tmp_path / "pairs")
    for path in pairs.glob("val/*/*.png"):
        draw(path, size) if path.parent.name == "label" else images.write(path, np.zeros((*size, 3), np.uint8))
    row = (torch.arange(16) * 2 + (torch.arange(16) >= 8) * 4) / 127.5 - 1
    picture = row.view(1, 1, 16, 1).expand(1, 3, 16, min(size))
    picture = picture if size[0] == 16 else picture.mT
    found = score(lambda condition: picture, "steps", examined(pairs, "seams_8"))
    # A step of six grey levels across the border, of two inside cells; the floor is a tenth of a level.
    assert found.figures["seams_8"] == pytest.approx(6.1 / 2.1, rel=1e-5)
    assert found.caveats == ()


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
    assert "seams_16 leaves out 4 of 4 pictures, no larger than a cell" in found.caveats


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


def test_a_picture_that_is_right_leaves_no_mean(pairs: Path) -> None:
    examination = examined(pairs, "psnr")
    found = score(lambda condition: torch.full((1, 3, *condition.size), 120 / 127.5 - 1), "grey", examination)
    assert found.figures["psnr"] == np.inf
    assert found.caveats == ("psnr has no mean: it is infinite for 1 of 4 pictures",)
    assert json.loads(json_text(found.to_json()))["figures"]["psnr"] is None


def test_a_folder_of_weights_that_is_not_there_is_refused(pairs: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder of weights"):
        examined(pairs, "l1", weights=pairs / "nowhere")


def test_a_measure_that_does_not_suit_the_samples_is_refused(pairs: Path) -> None:
    with pytest.raises(InputError, match="classes are compared, the samples' targets are pictures"):
        examined(pairs, "labels")


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


def finds_nothing_but_a(pictures: Tensor) -> Tensor:
    return torch.zeros(1, *pictures.shape[2:]).long()


def cannot_read(pictures: Tensor) -> Tensor:
    raise InputError("its scores are NaN")


def test_what_is_odd_about_a_segmenter_is_said_before_the_work_and_beside_its_figures(
    pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(find: Callable[[Tensor], Tensor]) -> Examination:
        segmenter = Segmenter("wise", 3, find, "0" * 64, remark="so")
        monkeypatch.setattr("pixelwise.evaluation.measures.segmenter_named", lambda *_: segmenter)
        return examined(pairs, "segmentation", segmenter="wise")

    examination = seen(finds_nothing_but_a)
    remark, odd = examination.caveats
    assert remark == "wise: so"
    assert odd.startswith("wise: finds nothing but 'a' in the first 3 real photos, whose label maps have 3 classes: ")
    assert score(black, "black", examination).caveats == (remark, odd, "segmentation by wise, 00000000")
    with pytest.raises(InputError, match="its scores are NaN"):
        seen(cannot_read)
    for path in (pairs / "val" / "label").iterdir():
        images.write_labels(path, np.zeros((16, 16), np.uint8), LABELS)
    assert list(seen(finds_nothing_but_a).caveats) == [remark]


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
