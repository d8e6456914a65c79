"""Studies that nobody need prepare: without files, or with a few small ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.study import Answer, Picture, Rules, Scene, Store, Study, trials_of
from pixelwise.study.design import Catch
from pixelwise.study.preparation import Sources, prepare
from pixelwise.study.raters import Rater
from pixelwise.study.trials import DEGRADED, INTACT


def made_up(models: Sequence[str], num_scenes: int, per_pair: int = 50, num_catches: int = 0, seed: int = 0) -> Study:
    """A study whose pictures' checksums are words, and whose files are nowhere."""
    scenes = tuple(
        Scene(f"{number:03}", tuple(Picture(f"{model}{number}", f"{model}/{number}.png") for model in models))
        for number in range(num_scenes)
    )
    catches = tuple(Catch(scene.name, scene.outputs[0], Picture("bad")) for scene in scenes[:num_catches])
    return Study(tuple(models), Rules(per_pair=per_pair, num_catches=num_catches, seed=seed), scenes, catches)


def draw_folder(folder: Path, names: Sequence[str], seed: int, size: tuple[int, int] = (16, 24)) -> Path:
    """Photos of noise in a folder; returns it."""
    random = np.random.default_rng(seed)
    for name in names:
        images.write(folder / f"{name}.png", random.integers(0, 256, (*size, 3), np.uint8))
    return folder


def small_study(root: Path, rules: Rules | None = None) -> Store:
    """Of the models asap and spade, four scenes with conditions, two catch trials of real photos: six trials in all."""
    names = ["1", "2", "street/3", "street/4"]
    folders = [draw_folder(root / name, names, seed) for seed, name in enumerate(("asap", "spade", "maps", "photos"))]
    sources = Sources({"asap": folders[0], "spade": folders[1]}, conditions=folders[2], photos=folders[3])
    prepare(root / "study.sqlite", sources, rules or Rules(num_catches=2))
    return Store(root / "study.sqlite")


def answer_all(store: Store, rater: Rater, preferred: str, sound: bool = True) -> None:
    """The rater prefers one model wherever it is shown, and sees what is degraded, or takes it for real."""
    trials = trials_of(store.study, rater.name)
    for number in range(store.num_answered(rater), len(trials)):
        wanted = (INTACT if sound else DEGRADED) if trials[number].is_catch else preferred
        store.answer(rater, number, "left" if trials[number].left.name == wanted else "right", 1000)


def answered(rater: str, left: str, right: str, choice: str, scene: str = "1", is_catch: bool = False) -> Answer:
    return Answer(rater, 0, is_catch, scene, left, right, choice, 1500, "2026-11-21T12:00:00+00:00")
