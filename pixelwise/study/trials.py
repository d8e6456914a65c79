"""Who sees which pictures, in which order and on which sides: functions of the study's seed and the rater's name alone.

So a rater who returns finds the same trials, on any machine and with any version of Python: what is drawn comes from
SHA-256, not from a generator of random numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pixelwise.study.design import Catch, Picture, Study

INTACT, DEGRADED = "intact", "degraded"
"""What the pictures of catch trials are called, where those of others have their model's name."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """A picture, and the name of the model that made it; of catch trials ``INTACT`` or ``DEGRADED``."""

    name: str
    picture: Picture


@dataclass(frozen=True)
class Trial:
    """One question to one rater.

    Attributes:
        scene: its name.
        left, right: what to choose from.
        condition: shown above, or None.
        is_catch: whether the right answer is known.
    """

    scene: str
    left: Shown
    right: Shown
    condition: Picture | None
    is_catch: bool


def trials_of(study: Study, rater: str) -> tuple[Trial, ...]:
    """All trials of a rater, in order.

    A rater compares every pair of models on ``Study.num_comparisons`` different scenes, each of the two on the left as
    often as on the right, give or take one. The trials come in rounds of one of every pair, so that whoever stops early
    has seen all pairs equally often, give or take one. Catch trials are spread among them.
    """
    key = f"{study.rules.seed}\n{rater}"
    comparisons = list(_comparisons(study, key))
    catches = list(_catches(study, key))
    # Where each stands between 0, the beginning, and 1, the end: one catch trial somewhere in each of equal parts.
    places = [(number + 0.5) / len(comparisons) for number in range(len(comparisons))]
    places += [(number + _fraction(f"{key}\ncatch {number}")) / len(catches) for number in range(len(catches))]
    placed = sorted(zip(places, range(len(places)), comparisons + catches, strict=True))
    return tuple(trial for _, _, trial in placed)


def shuffled(items: Sequence[T], key: str) -> list[T]:
    """The items in an order that depends on the key alone."""
    order = sorted(range(len(items)), key=lambda index: _digest(f"{key}\n{index}"))
    return [items[index] for index in order]


def _comparisons(study: Study, key: str) -> Iterator[Trial]:
    """Round after round."""
    scenes = shuffled(study.scenes, f"{key}\nscenes")
    num_pairs, num_rounds = len(study.pairs), study.num_comparisons
    # Every pair begins elsewhere in the same circle of scenes: so no two of a round are of one scene, where there are
    # enough of them.
    stride = max(1, len(scenes) // num_pairs)
    swapped = [_coins(num_rounds, f"{key}\nsides {pair}") for pair in range(num_pairs)]
    for turn in range(num_rounds):
        for pair in shuffled(range(num_pairs), f"{key}\nround {turn}"):
            scene = scenes[(turn + pair * stride) % len(scenes)]
            outputs = dict(zip(study.models, scene.outputs, strict=True))
            shown = [Shown(model, outputs[model]) for model in study.pairs[pair]]
            yield _trial(scene.name, shown, swapped[pair][turn], scene.condition, is_catch=False)


def _catches(study: Study, key: str) -> Iterator[Trial]:
    catches: list[Catch] = shuffled(study.catches, f"{key}\ncatches")
    swapped = _coins(len(catches), f"{key}\nsides of catches")
    for catch, swap in zip(catches, swapped, strict=True):
        shown = [Shown(INTACT, catch.intact), Shown(DEGRADED, catch.degraded)]
        yield _trial(catch.scene, shown, swap, catch.condition, is_catch=True)


def _trial(scene: str, shown: Sequence[Shown], swap: bool, condition: Picture | None, is_catch: bool) -> Trial:
    left, right = reversed(shown) if swap else shown
    return Trial(scene, left, right, condition, is_catch)


def _coins(count: int, key: str) -> list[bool]:
    """As many heads as tails, give or take one."""
    return shuffled([True, False] * ((count + 1) // 2), key)[:count]


def _fraction(key: str) -> float:
    """In [0, 1)."""
    # 53 bits, which a float holds exactly: with more of them, the greatest would be rounded to 1.
    return (int.from_bytes(_digest(key)[:8], "big") >> 11) / (1 << 53)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
