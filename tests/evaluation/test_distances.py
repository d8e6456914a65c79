"""How far sets of pictures are from real ones: which sets, by which features, and statistics for elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_examination import black, examined

from pixelwise import images
from pixelwise.condition import PairedSample
from pixelwise.errors import InputError
from pixelwise.evaluation import Setting, prepare, protocol_for, score, score_targets
from pixelwise.evaluation.distances import RealSet, distances
from pixelwise.evaluation.inception import write_real_statistics
from pixelwise.evaluation.measure import Figures
from pixelwise.evaluation.own_data import own_protocol
from pixelwise.metrics.frechet import FeatureStatistics, write_statistics


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
        names, spec, target = samples.names, samples.spec, samples.target

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
def test_sets_of_one_picture_have_no_distances(pairs: Path) -> None:
    for path in [*(pairs / "val" / "label").iterdir(), *(pairs / "val" / "image").iterdir()]:
        if path.stem != "0":
            path.unlink()
    examination = examined(pairs, "segmenter_features", "l1", segmenter="wise")
    assert [measure.name for measure in examination.measures] == ["l1"]
    assert "distances are of sets of two pictures or more" in examination.remarks[0]


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
