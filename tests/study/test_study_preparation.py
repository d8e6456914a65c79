"""Studies of folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from made_up_study import draw_folder, small_study

from pixelwise import images
from pixelwise.errors import InputError
from pixelwise.study import Picture, Rules, Store
from pixelwise.study.pictures import mosaic
from pixelwise.study.preparation import Sources, prepare

NAMES = [str(number) for number in range(8)]


def two(root: Path) -> dict[str, Path]:
    return {name: draw_folder(root / name, NAMES, seed) for seed, name in enumerate("ab")}


def test_pictures_are_matched_by_name(tmp_path: Path) -> None:
    store = small_study(tmp_path)
    assert store.study.models == ("asap", "spade")
    assert [scene.name for scene in store.study.scenes] == ["1", "2", "street/3", "street/4"]
    last = store.study.scenes[-1]
    assert [picture.path for picture in last.outputs] == ["asap/street/4.png", "spade/street/4.png"]
    assert last.condition is not None
    assert store.content(last.condition) == (tmp_path / "maps/street/4.png").read_bytes()
    for catch in store.study.catches:
        assert catch.intact.path == f"photos/{catch.scene}.png"
        assert store.content(catch.degraded).startswith(b"\x89PNG")


def test_without_photos_the_models_take_turns_in_catch_trials(tmp_path: Path) -> None:
    study = prepare(tmp_path / "s.sqlite", Sources(two(tmp_path)), Rules(num_catches=4))
    assert [catch.intact.path[0] for catch in study.catches] == ["a", "b", "a", "b"]
    assert len({catch.scene for catch in study.catches}) == 4
    other = prepare(tmp_path / "t.sqlite", Sources(two(tmp_path)), Rules(num_catches=4, seed=1))
    assert [catch.scene for catch in study.catches] != [catch.scene for catch in other.catches]


def test_study_and_pictures_move_together(tmp_path: Path) -> None:
    models = two(tmp_path / "here")
    prepare(tmp_path / "here" / "studies" / "s.sqlite", Sources(models))
    shutil.move(tmp_path / "here", tmp_path / "there")
    Store(tmp_path / "there" / "studies" / "s.sqlite").check_pictures()


def test_a_study_may_lie_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "deep" / "studies").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "studies")
    prepare(tmp_path / "link" / "s.sqlite", Sources(two(tmp_path)))
    Store(tmp_path / "link" / "s.sqlite").check_pictures()
    Store(tmp_path / "deep" / "studies" / "s.sqlite").check_pictures()


def test_names_that_do_not_match_are_listed(tmp_path: Path) -> None:
    models = two(tmp_path)
    for name in NAMES[1:]:
        (models["b"] / f"{name}.png").unlink()
    with pytest.raises(InputError, match=r"1 is not in .*b; 2 is not in .*b; .* and 2 more; --common uses only the 1 "):
        prepare(tmp_path / "s.sqlite", Sources(models))
    assert len(prepare(tmp_path / "s.sqlite", Sources(models), common=True).scenes) == 1
    (models["b"] / "0.png").rename(models["b"] / "x.png")
    for common in (False, True):
        with pytest.raises(InputError, match=r"no picture has the same name .*a begins with 0, .*b begins with x"):
            prepare(tmp_path / "t.sqlite", Sources(models), common=common)


def test_conditions_may_be_more_but_not_fewer(tmp_path: Path) -> None:
    models, maps = two(tmp_path), draw_folder(tmp_path / "maps", [*NAMES, "more"], 5, size=(4, 6))
    assert prepare(tmp_path / "s.sqlite", Sources(models, conditions=maps)).has_conditions
    (maps / "3.png").unlink()
    with pytest.raises(InputError, match=r"3 is not in .*maps"):
        prepare(tmp_path / "t.sqlite", Sources(models, conditions=maps))


def test_sizes_that_do_not_match_are_listed(tmp_path: Path) -> None:
    models = two(tmp_path)
    draw_folder(models["b"], ["2"], 0, size=(16, 32))
    with pytest.raises(InputError, match=r"one size .*: 2 is 24x16 in .*a, 32x16 in .*b$"):
        prepare(tmp_path / "s.sqlite", Sources(models))
    assert not (tmp_path / "s.sqlite").exists()


def test_models_must_differ(tmp_path: Path) -> None:
    models = {**two(tmp_path), "c": draw_folder(tmp_path / "c", NAMES, 0)}
    with pytest.raises(InputError, match="a and c: all their pictures are the same"):
        prepare(tmp_path / "s.sqlite", Sources(models))


def test_pictures_that_cannot_be_shown_are_named(tmp_path: Path) -> None:
    models = two(tmp_path)
    damaged = models["a"] / "4.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(InputError, match=r"4\.png: cannot be read"):
        prepare(tmp_path / "s.sqlite", Sources(models))
    damaged.unlink()
    images.write(models["a"] / "4.tif", np.zeros((16, 24, 3), np.uint8))
    with pytest.raises(InputError, match=r"4\.tif: browsers do not show \.tif"):
        prepare(tmp_path / "s.sqlite", Sources(models))


def test_what_a_mosaic_would_not_spoil_is_no_catch_trial(tmp_path: Path) -> None:
    models = two(tmp_path)
    for name in NAMES:
        images.write(tmp_path / "flat" / f"{name}.png", np.full((16, 24, 3), 9, np.uint8))
    with pytest.raises(InputError, match="no catch trial can be made of it"):
        prepare(tmp_path / "s.sqlite", Sources(models, photos=tmp_path / "flat"))


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    prepare(tmp_path / "s.sqlite", Sources(two(tmp_path)), progress=lambda *now: told.append(now))
    assert told == [(number, 16) for number in range(1, 17)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(64, 128, 3), (67, 131), (3, 3, 4)])
def test_a_mosaic_is_of_means(shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    spoilt = mosaic(picture)
    assert (spoilt.shape, spoilt.dtype) == (picture.shape, picture.dtype)
    blocks = [max(1, min(16, side // 4)) for side in shape[:2]]
    assert len(np.unique(spoilt.reshape(*shape[:2], -1)[..., 0])) <= blocks[0] * blocks[1]
    height, width = (side // count for side, count in zip(shape, blocks, strict=False))
    np.testing.assert_array_equal(spoilt[0, 0], np.rint(picture[:height, :width].mean((0, 1))))
    np.testing.assert_allclose(spoilt.mean(), picture.mean(), atol=4)


def test_an_empty_path_means_kept_in_the_study(tmp_path: Path) -> None:
    store = small_study(tmp_path)
    with pytest.raises(InputError, match="lacks the picture"):
        store.content(Picture("0" * 64))
